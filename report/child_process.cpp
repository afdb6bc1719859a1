// Children by posix_spawn; their three streams are served by one poll loop.
#include "report/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "autodiff/error.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* operation, const std::string& program, const char* what, int error) {
  throw DomainError(fmt::format("[{}] {}: {}: {}; check the machine's limits on processes and files",
                                operation, program, what, std::strerror(error)));
}

/// A file descriptor, closed at the end; -1 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const noexcept { return number_; }
  void close() noexcept {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_ = -1;
};

/// Our end and the child's of a stream.
struct Channel {
  Descriptor ours, childs;
};

/// A socket pair and not a pipe: writing to a child that reads no more is then an error without a signal.
Channel open_channel(const char* operation, const std::string& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    fail(operation, program, "no channel to it can be opened", errno);
  Channel channel{Descriptor(ends[0]), Descriptor(ends[1])};
  // Above the standard streams, so that putting one in its place in the child cannot cover another.
  if (ends[1] <= 2) {
    channel.childs = Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3));
    if (channel.childs.get() < 0) fail(operation, program, "no channel to it can be opened", errno);
  }
  ::fcntl(channel.ours.get(), F_SETFL, O_NONBLOCK);
  return channel;
}

/// A running child; killed and waited for if it is left before its end.
class Child {
 public:
  explicit Child(pid_t id) : id_(id) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!ended_) kill();
  }
  void kill() {
    ::kill(id_, SIGKILL);
    wait(0);
  }
  /// Whether it has ended.
  bool poll() { return ended_ || wait(WNOHANG); }
  int exit_code() const { return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_); }

 private:
  bool wait(int options) {
    pid_t got = 0;
    do got = ::waitpid(id_, &status_, options);
    while (got < 0 && errno == EINTR);
    return ended_ = got != 0;
  }
  pid_t id_;
  int status_ = 0;
  bool ended_ = false;
};

/// Its id, or the error as a negative number.
pid_t spawn(const std::vector<std::string>& command, const std::array<Channel, 3>& channels) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  for (int k = 0; k < 3; ++k)
    ::posix_spawn_file_actions_adddup2(&actions, channels[static_cast<std::size_t>(k)].childs.get(), k);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t id = 0;
  const int error = ::posix_spawnp(&id, words[0], &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? id : -error;
}

/// Writes what the child will take now; closes the stream at its end.
void feed(Descriptor& to, std::string_view& input) {
  const ssize_t n = ::send(to.get(), input.data(), input.size(), MSG_NOSIGNAL);
  if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
  const bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
  if (input.empty() || (n < 0 && !later)) to.close();
}

void drain(Descriptor& from, std::string& into) {
  std::array<char, 65536> chunk;
  const ssize_t n = ::read(from.get(), chunk.data(), chunk.size());
  if (n > 0) into.append(chunk.data(), static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) from.close();
}

}  // namespace

std::optional<ChildResult> run_child(const char* operation, const std::vector<std::string>& command,
                                     std::string_view input, ChildOptions options) {
  if (command.empty() || command[0].empty())
    throw DomainError(fmt::format("[{}] the command has no words; name a program", operation));
  const std::string& program = command[0];
  std::array<Channel, 3> channels;
  for (Channel& channel : channels) channel = open_channel(operation, program);
  const pid_t id = spawn(command, channels);
  if (id == -ENOENT || id == -EACCES || id == -ENOTDIR) return std::nullopt;
  if (id < 0) fail(operation, program, "cannot be started", -id);
  Child child(id);
  for (Channel& channel : channels) channel.childs.close();

  Descriptor &in = channels[0].ours, &out = channels[1].ours, &err = channels[2].ours;
  if (input.empty()) in.close();
  ChildResult result;
  const auto deadline = Clock::now() + std::chrono::duration<double>(options.seconds);
  const auto check_time = [&] {
    if (Clock::now() < deadline) return;
    child.kill();
    throw DomainError(fmt::format("[{}] {} did not end within {} s and was killed; give it less to do",
                                  operation, program, options.seconds));
  };
  const auto check_output = [&] {
    if (result.output.size() + result.errors.size() <= options.most_output) return;
    child.kill();
    const std::string& longer = std::max(result.output, result.errors,
                                         [](const auto& a, const auto& b) { return a.size() < b.size(); });
    throw DomainError(fmt::format(
        "[{}] {} wrote more than {} bytes and was killed; give it less to do; they "
        "begin: {}",
        operation, program, options.most_output, cut(one_line(clean(longer.substr(0, 1000))), 200)));
  };
  while (out.get() >= 0 || err.get() >= 0) {
    // poll passes over negative descriptors.
    std::array<pollfd, 3> streams{{{in.get(), POLLOUT, 0}, {out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    const int ready = ::poll(streams.data(), streams.size(), 100);
    if (ready > 0) {
      if (streams[0].revents != 0) feed(in, input);
      if (streams[1].revents != 0) drain(out, result.output);
      if (streams[2].revents != 0) drain(err, result.errors);
      check_output();
    }
    check_time();
  }
  in.close();
  while (!child.poll()) {
    check_time();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  result.exit_code = child.exit_code();
  return result;
}

}  // namespace cotangent::report
