// The catalogue: every result of the lectures and of the additions to them, one row each.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace cotangent::theory {

/// here: a check of the library. planned: not yet. quoted: stated with its source, not to be run.
/// open: an open problem of the lectures.
enum class State { here, planned, quoted, open };
const char* to_string(State state) noexcept;

/// One result of the lectures, or of the additions to them. The only place where its statement, formula and
/// source stand; where a lecture prints something false, the statement is the true one.
struct Entry {
  /// "O35", "K19"; an addition: "2.3", and "6.4a" where one number holds several results.
  std::string_view id;
  /// "proxy", "cpsc532s", "landscape", "ece826", "ece8101"; an addition has none.
  std::string_view lecture;
  /// Where it stands there: "Theorem 2"; of an addition, where a lecture names it. May be empty.
  std::string_view place;
  /// In lower case, to be read after "lecture 000,": "leaky ReLU theorem".
  std::string_view title;
  /// One line of plain ASCII.
  std::string_view statement;
  /// The same as one paragraph with TeX mathematics between $...$.
  std::string_view tex;
  /// A public function of theory/, the GoogleTest suite that tests it, a program of examples/ that shows it;
  /// only in state here, where the lesson may still be empty.
  std::string_view check = {};
  std::string_view test = {};
  std::string_view lesson = {};
  State state = State::planned;

  /// "proxy O35", "additions 2.3": the key `source` of a record.
  std::string source() const;
  /// "lecture 000, leaky ReLU theorem (O35)", "additions, shortest path (2.4)".
  std::string citation() const;
};

/// All rows, in the order of the sheets: O, A, P, K, L, X, G, then the additions.
std::span<const Entry> catalogue() noexcept;

/// The row of an id.
/// Throws: DomainError for an id that is not there, naming the nearest ids.
const Entry& entry(std::string_view id);

}  // namespace cotangent::theory
