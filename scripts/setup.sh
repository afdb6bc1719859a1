# Sourced by the other scripts: installs what they need on Debian 12.

debian_packages=(g++ cmake make ninja-build ccache pkg-config libxtensor-dev xtl-dev libxsimd-dev
  libopenblas-dev libfmt-dev libzip-dev zlib1g-dev coinor-libclp-dev libflint-arb-dev libcli11-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev gnuplot-nox blahtexml python3 python3-numpy)

# Bad usage: what is wrong, then the caller's usage.
misuse() { printf '%s: %s\n\n' "$(basename "$0")" "$1" >&2; usage >&2; exit 2; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$1" >&2; exit 1; }

# set_up [PACKAGE...]: sees to it that the packages above and those given are installed; quick when they are.
set_up() {
  local wanted=("${debian_packages[@]}" "$@") missing=() as_root=() system="an unknown system"
  if [[ -r /etc/os-release ]]; then system=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}"); fi
  if [[ $system != "debian 12" ]]; then
    fail "this script sets up Debian 12, and this is $system. Install what these Debian packages hold: ${wanted[*]}
Then run it again with --no-setup."
  fi
  for package in "${wanted[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return; fi

  echo "Installing: ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "not root and no sudo here; run as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" sh -c 'export DEBIAN_FRONTEND=noninteractive
    apt-get update -q && apt-get install -q -y --no-install-recommends "$@"' sh "${missing[@]}" </dev/null ||
    fail "apt-get could not install: ${missing[*]} (its messages are above; is there a network and a Debian mirror?)"
}

# build PRESET [OPTION...]: configures and builds, going on after an error so that all of them are seen.
build() { cmake --preset "$1" >/dev/null && cmake --build --preset "$1" --parallel "$(nproc)" "${@:2}" -- -k 0; }
