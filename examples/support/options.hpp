// A program's options: what lessons and inspect share, without CLI11 behind it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/shape.hpp"

namespace cotangent::examples {

/// What a program returns for bad usage, and for an error.
inline constexpr int kBadUsage = 2;

/// Options by name, each with the variable it is read into, which holds the default. --help is always there.
class Options {
 public:
  Options(const std::string& program, const std::string& about);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  Options& flag(const std::string& name, bool& value, const std::string& help);
  /// `type` stands for the value in --help: "DIR".
  Options& text(const std::string& name, std::string& value, const std::string& type,
                const std::string& help);
  /// As text, and the program cannot run without it.
  Options& required_text(const std::string& name, std::string& value, const std::string& type,
                         const std::string& help);
  /// One of several words.
  Options& choice(const std::string& name, std::string& value, const std::vector<std::string>& words,
                  const std::string& help);
  /// A directory that exists.
  Options& directory(const std::string& name, std::string& value, const std::string& help);
  /// A whole number from `least` to 2^64 - 1.
  Options& whole(const std::string& name, std::uint64_t& value, const std::string& help,
                 std::uint64_t least = 0);
  /// A finite number; nothing unless it is given.
  Options& number(const std::string& name, std::optional<double>& value, const std::string& help);

  /// Nothing if the program is to go on; else its exit code, after --help (0) or bad usage (2).
  std::optional<int> parse(int argc, char** argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// Whole numbers from 1 on between commas: "3,16,16,2". Throws: DomainError naming `option`.
std::vector<Index> sizes_in(const std::string& option, const std::string& text);
/// The words between commas; none in an empty text. Throws: DomainError if one of them is empty.
std::vector<std::string> words_in(const std::string& option, const std::string& text);

/// Makes the directory of --out, before the work, so that an hour of it is not lost for a misspelt name.
/// Throws: DomainError if it is not there and cannot be made.
void make_directory(const std::string& path);

}  // namespace cotangent::examples
