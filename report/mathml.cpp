// Finds the formulas of a text, has blahtexml convert them, and brings its MathML to what browsers draw.
#include "report/mathml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "autodiff/files/utf8.hpp"
#include "report/child_process.hpp"
#include "report/text.hpp"

namespace cotangent::report {
namespace {

constexpr std::array<std::string_view, 24> kElements = {
    "math",  "mrow",   "mi",      "mn",     "mo",      "mtext",      "mspace", "mstyle",
    "msub",  "msup",   "msubsup", "munder", "mover",   "munderover", "mfrac",  "msqrt",
    "mroot", "mtable", "mtr",     "mtd",    "mpadded", "mphantom",   "merror", "mfenced"};

std::string utf8(unsigned code) {
  std::string out;
  detail::append_utf8(out, code);
  return out;
}

/// Where Unicode keeps the letters A, a and the digit 0 of an alphabet; 0: nowhere. Letters that stood in
/// Unicode before the alphabet did are apart.
struct Alphabet {
  std::string_view variant;
  unsigned upper, lower, digit;
  std::string_view letters_apart;
  std::array<unsigned, 11> codes_apart;
};
constexpr std::array<Alphabet, 6> kAlphabets = {{
    {"bold", 0x1d400, 0x1d41a, 0x1d7ce, "", {}},
    {"bold-italic", 0x1d468, 0x1d482, 0x1d7ce, "", {}},
    {"double-struck",
     0x1d538,
     0x1d552,
     0x1d7d8,
     "CHNPQRZ",
     {0x2102, 0x210d, 0x2115, 0x2119, 0x211a, 0x211d, 0x2124}},
    {"script",
     0x1d49c,
     0x1d4b6,
     0,
     "BEFHILMRego",
     {0x212c, 0x2130, 0x2131, 0x210b, 0x2110, 0x2112, 0x2133, 0x211b, 0x212f, 0x210a, 0x2134}},
    {"fraktur", 0x1d504, 0x1d51e, 0, "CHIRZ", {0x212d, 0x210c, 0x2111, 0x211c, 0x2128}},
    {"sans-serif", 0x1d5a0, 0x1d5ba, 0x1d7e2, "", {}},
}};

std::string in_alphabet(char c, const Alphabet& alphabet) {
  if (const std::size_t k = alphabet.letters_apart.find(c); k != std::string_view::npos)
    return utf8(alphabet.codes_apart[k]);
  const auto shifted = [&](unsigned start, char from) {
    return start == 0 ? std::string(1, c) : utf8(start + static_cast<unsigned>(c - from));
  };
  if (c >= 'A' && c <= 'Z') return shifted(alphabet.upper, 'A');
  if (c >= 'a' && c <= 'z') return shifted(alphabet.lower, 'a');
  if (c >= '0' && c <= '9') return shifted(alphabet.digit, '0');
  return std::string(1, c);
}

/// Combining accents as characters that stand alone, which browsers place over their base; a hyphen as the
/// minus it is meant to be.
std::string operator_text(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOperators = {{{"\u0302", "\u02c6"},
                                                                                        {"\u0303", "\u02dc"},
                                                                                        {"\u0304", "\u00af"},
                                                                                        {"\u0307", "\u02d9"},
                                                                                        {"\u0308", "\u00a8"},
                                                                                        {"-", "\u2212"}}};
  for (const auto& [combining, alone] : kOperators)
    if (text == combining) return std::string(alone);
  return std::string(text);
}

/// The text between <name> and </name>; nothing if there is none.
std::optional<std::string_view> inside(std::string_view text, const std::string& name) {
  const std::size_t open = text.find("<" + name + ">"), close = text.rfind("</" + name + ">");
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  const std::size_t from = open + name.size() + 2;
  return from > close ? std::nullopt : std::optional(text.substr(from, close - from));
}

/// blahtexml's elements for browsers: these know the attribute mathvariant no longer, so letters of other
/// alphabets become characters. Nothing if there is an element that is none of MathML's.
std::optional<std::string> for_browsers(std::string_view markup) {
  std::string out;
  while (!markup.empty()) {
    const std::size_t open = markup.find('<');
    out += markup.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = markup.find('>', open);
    if (close == std::string_view::npos) return std::nullopt;
    std::string tag(markup.substr(open, close - open + 1));
    markup.remove_prefix(close + 1);
    const std::size_t start = tag[1] == '/' ? 2 : 1;
    const std::string name = tag.substr(start, tag.find_first_of(" />", start) - start);
    if (std::find(kElements.begin(), kElements.end(), name) == kElements.end()) return std::nullopt;
    std::string content;
    if (start == 1 && (name == "mi" || name == "mn" || name == "mo")) {
      content = operator_text(markup.substr(0, markup.find('<')));
      markup.remove_prefix(std::min(markup.find('<'), markup.size()));
      for (const Alphabet& alphabet : kAlphabets) {
        const std::string attribute = fmt::format(" mathvariant=\"{}\"", alphabet.variant);
        const std::size_t at = tag.find(attribute);
        if (at == std::string::npos) continue;
        tag.erase(at, attribute.size());
        std::string letters;
        for (const char c : content) letters += in_alphabet(c, alphabet);
        content = letters;
      }
    }
    out += tag + content;
  }
  std::erase(out, '\n');
  return out;
}

/// Converts formulas until it turns out that there is no converter.
class Converter {
 public:
  std::string formula(std::string_view tex, bool display) {
    std::string shown = fmt::format("<code>{}</code>", html(tex));
    if (missing_) return shown;
    std::vector<std::string> command = {"blahtexml", "--mathml",         "--mathml-encoding",
                                        "raw",       "--other-encoding", "raw"};
    if (display) command.push_back("--displaymath");
    const std::optional<ChildResult> made = run_child("math_html", command, clean(tex));
    if (!made) {
      missing_ = true;
      problems_.push_back(
          "formulas are shown as TeX: there is no blahtexml on PATH; install the Debian package "
          "blahtexml");
      return shown;
    }
    const auto markup = inside(made->output, "markup");
    const auto elements = markup ? for_browsers(*markup) : std::nullopt;
    if (!elements) {
      const auto message = inside(made->output, "message");
      problems_.push_back(fmt::format("the formula {} cannot be converted: {}", tex,
                                      message ? std::string(*message) : "blahtexml gave no MathML"));
      return shown;
    }
    return fmt::format("<math{}>{}</math>", display ? " display=\"block\"" : "", *elements);
  }
  std::vector<std::string> problems() && { return std::move(problems_); }

 private:
  bool missing_ = false;
  std::vector<std::string> problems_;
};

/// Where the delimiter next stands, passing over "\$"; npos if nowhere.
std::size_t find_delimiter(std::string_view text, std::string_view delimiter) {
  for (std::size_t at = text.find(delimiter); at != std::string_view::npos; at = text.find(delimiter, at + 1))
    if (at == 0 || text[at - 1] != '\\') return at;
  return std::string_view::npos;
}

/// Plain text: "\$" is a dollar, an empty line a paragraph.
std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\$")) continue;
    if (text.substr(i).starts_with("\n\n")) {
      out += "</p>\n<p>";
      while (i + 1 < text.size() && text[i + 1] == '\n') ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

}  // namespace

MathHtml math_html(std::string_view text) {
  MathHtml result;
  Converter converter;
  std::string out = "<p>";
  const auto add_plain = [&](std::string_view words) { out += plain(html(words)); };
  while (!text.empty()) {
    const std::size_t open = find_delimiter(text, "$");
    add_plain(text.substr(0, open));
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    const std::string_view delimiter = text.starts_with("$$") ? "$$" : "$";
    const std::size_t close = find_delimiter(text.substr(delimiter.size()), delimiter);
    if (close == std::string_view::npos) {
      add_plain(text);
      break;
    }
    const bool display = delimiter.size() == 2;
    out += converter.formula(text.substr(delimiter.size(), close), display);
    text.remove_prefix(close + 2 * delimiter.size());
  }
  result.html = out + "</p>\n";
  result.problems = std::move(converter).problems();
  return result;
}

}  // namespace cotangent::report
