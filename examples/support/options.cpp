// A program's options. The only file that includes CLI11.
#include "examples/support/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>

#include "autodiff/error.hpp"

namespace cotangent::examples {
namespace {

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// CLI11 takes whatever follows an option for its value.
std::string value_error(const std::string& text) {
  if (text.empty()) return "its value is empty; give one, or leave the option out";
  return text.starts_with("--") ? "\"" + text + "\" is an option; give a value before it" : std::string();
}

}  // namespace

struct Options::Parser {
  Parser(const std::string& program, const std::string& about) : app(about, program) {
    app.failure_message([program](const CLI::App*, const CLI::Error& error) {
      return program + ": " + error.what() + "\nRun with --help for more information.\n";
    });
  }
  CLI::App app;
};

Options::Options(const std::string& program, const std::string& about)
    : parser_(std::make_unique<Parser>(program, about)) {}
Options::~Options() = default;

Options& Options::flag(const std::string& name, bool& value, const std::string& help) {
  parser_->app.add_flag(name, value, help);
  return *this;
}

Options& Options::text(const std::string& name, std::string& value, const std::string& type,
                       const std::string& help) {
  CLI::Option* option = parser_->app.add_option(name, value, help)->type_name(type)->check(value_error);
  if (!value.empty()) option->capture_default_str();
  return *this;
}

Options& Options::required_text(const std::string& name, std::string& value, const std::string& type,
                                const std::string& help) {
  parser_->app.add_option(name, value, help)->type_name(type)->check(value_error)->required();
  return *this;
}

Options& Options::choice(const std::string& name, std::string& value, const std::vector<std::string>& words,
                         const std::string& help) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  parser_->app.add_option(name, value, help + ": " + list)
      ->type_name("NAME")
      ->check([words, list](const std::string& given) {
        for (const std::string& word : words)
          if (word == given) return std::string();
        return "\"" + given + "\" is none of " + list;
      })
      ->capture_default_str();
  return *this;
}

Options& Options::directory(const std::string& name, std::string& value, const std::string& help) {
  parser_->app.add_option(name, value, help)
      ->type_name("DIR")
      ->check(CLI::Validator(CLI::ExistingDirectory).description(""));
  return *this;
}

Options& Options::whole(const std::string& name, std::uint64_t& value, const std::string& help,
                        std::uint64_t least) {
  parser_->app.add_option(name, value, help)
      ->type_name("N")
      ->check([least](const std::string& text) {  // CLI11 itself takes -1 for 2^64 - 1
        const std::optional<std::uint64_t> number = whole_number(text);
        return number && *number >= least
                   ? std::string()
                   : fmt::format("\"{}\" is no whole number from {} to 2^64 - 1", text, least);
      })
      ->capture_default_str();
  return *this;
}

Options& Options::number(const std::string& name, std::optional<double>& value, const std::string& help) {
  parser_->app
      .add_option_function<double>(
          name, [&value](const double& given) { value = given; }, help)
      ->type_name("NUMBER")
      ->check([](const std::string& text) {
        double given = 0.0;
        return CLI::detail::lexical_cast(text, given) && std::isfinite(given)
                   ? std::string()
                   : "\"" + text + "\" is no finite number";
      });
  return *this;
}

std::optional<int> Options::parse(int argc, char** argv) {
  try {
    parser_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser_->app.exit(error) == 0 ? 0 : kBadUsage;
  }
  return std::nullopt;
}

std::vector<std::string> words_in(const std::string& option, const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t first = 0; !text.empty() && first <= text.size();) {
    const std::size_t comma = std::min(text.find(',', first), text.size());
    words.push_back(text.substr(first, comma - first));
    if (words.back().empty())
      throw DomainError(
          fmt::format("{}: nothing between two commas of \"{}\"; give words like a,b,c", option, text));
    first = comma + 1;
  }
  return words;
}

std::vector<Index> sizes_in(const std::string& option, const std::string& text) {
  std::vector<Index> sizes;
  for (const std::string& word : words_in(option, text)) {
    const std::optional<std::uint64_t> size = whole_number(word);
    if (!size || *size < 1 || *size >= (std::uint64_t{1} << 32))
      throw DomainError(
          fmt::format("{}: \"{}\" in \"{}\" is no whole number from 1 to 2^32 - 1; give sizes like 3,16,2",
                      option, word, text));
    sizes.push_back(static_cast<Index>(*size));
  }
  return sizes;
}

void make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path, error))
    throw DomainError(fmt::format("--out: {} is no directory and cannot be made one ({}); give another", path,
                                  error ? error.message() : "it is a file"));
}

}  // namespace cotangent::examples
