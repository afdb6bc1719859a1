// Records to and from JSON: the only file of this room that includes the JSON library.
#include "report/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"

namespace cotangent::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> kVerdicts = {"certified", "supported",    "refuted",
                                                       "agrees",    "inconclusive", "not_applicable"};
bool is_verdict(std::string_view word) {
  return std::find(kVerdicts.begin(), kVerdicts.end(), word) != kVerdicts.end();
}

/// What is wrong with the names and verdicts of one check.
std::optional<std::string> fault(const Check& check) {
  if (check.name.empty()) return fmt::format("the check of the claim \"{}\" has no name", check.claim);
  for (const std::string& word : {check.verdict, check.expected})
    if (!is_verdict(word))
      return fmt::format(
          "check \"{}\" has the verdict \"{}\", none of certified, supported, refuted, "
          "agrees, inconclusive, not_applicable",
          check.name, word);
  for (const std::vector<Clause>& clauses : {check.hypotheses, check.steps})
    for (const Clause& clause : clauses)
      if (clause.name.empty())
        return fmt::format("check \"{}\" has a hypothesis or step without a name", check.name);
  return std::nullopt;
}

/// What is wrong with a record's names and verdicts; nothing if it is sound.
std::optional<std::string> fault(const Record& record) {
  if (record.lesson.empty()) return "the lesson has no name";
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : record.metrics) {
    if (name.empty()) return fmt::format("the metric of value {} has no name", value);
    if (!names.insert(name).second) return fmt::format("two metrics are called \"{}\"", name);
  }
  names.clear();
  for (const Check& check : record.checks) {
    if (std::optional<std::string> wrong = fault(check)) return wrong;
    if (!names.insert(check.name).second) return fmt::format("two checks are called \"{}\"", check.name);
  }
  for (const std::string& file : record.figures)
    if (file.empty()) return std::string("a figure has no file name");
  names.clear();
  for (const auto& [file, text] : record.captions)
    if (!names.insert(file).second) return fmt::format("the figure \"{}\" has two captions", file);
  return std::nullopt;
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const Provenance& p) {
  return {{"cpu", p.cpu},
          {"blas_core", p.blas_core},
          {"blas_config", p.blas_config},
          {"blas_threads", p.blas_threads},
          {"isa", p.isa},
          {"compiler", p.compiler},
          {"build_type", p.build_type}};
}

void add_text(Json& to, const char* key, const std::string& text) {
  if (!text.empty()) to[key] = text;
}

void add_clauses(Json& to, const char* key, const std::vector<Clause>& clauses) {
  for (const Clause& clause : clauses) {
    to[key].push_back({{"name", clause.name},
                       {"lhs", number(clause.lhs)},
                       {"rhs", number(clause.rhs)},
                       {"margin", number(clause.margin)},
                       {"holds", clause.holds}});
    add_text(to[key].back(), "where", clause.where);
    add_text(to[key].back(), "within", clause.within);
  }
}

Json to_json(const Check& c) {
  Json json = {{"name", c.name},       {"source", c.source},    {"claim", c.claim},
               {"lhs", number(c.lhs)}, {"rhs", number(c.rhs)},  {"margin", number(c.margin)},
               {"verdict", c.verdict}, {"expected", c.expected}};
  add_text(json, "scope", c.scope);
  add_text(json, "note", c.note);
  add_text(json, "citation", c.citation);
  add_text(json, "formula", c.formula);
  add_clauses(json, "hypotheses", c.hypotheses);
  add_clauses(json, "steps", c.steps);
  add_text(json, "witness", c.witness);
  return json;
}

Json to_json(const Record& record) {
  Json metrics = Json::object(), checks = Json::array();
  for (const auto& [name, value] : record.metrics) metrics[name] = number(value);
  for (const Check& check : record.checks) checks.push_back(to_json(check));
  Json json = {{"lesson", record.lesson},
               {"seed", record.seed},
               {"provenance", to_json(record.provenance)},
               {"metrics", std::move(metrics)},
               {"checks", std::move(checks)},
               {"figures", record.figures}};
  for (const auto& [file, text] : record.captions) json["captions"][file] = text;
  add_text(json, "claim", record.claim);
  add_text(json, "statement", record.statement);
  if (std::isfinite(record.seconds)) json["seconds"] = record.seconds;
  return json;
}

/// Throws: DomainError; a NUL within `what`, which would end its text for those who read it, becomes a space.
[[noreturn]] void fail_to_load(const std::string& path, std::string what) {
  std::replace(what.begin(), what.end(), '\0', ' ');
  throw DomainError(
      fmt::format("[load_record] {}: {}; run the lesson again to write the file anew", path, what));
}

/// A value inside a file with the words for where it stands, so that every complaint can name it.
class Reader {
 public:
  Reader(const Json& value, std::string place, const std::string& path)
      : value_(value), place_(std::move(place)), path_(path) {}

  Reader at(const char* key) const {
    if (!value_.is_object()) fail("is " + kind() + ", not an object");
    const auto found = value_.find(key);
    if (found == value_.end()) fail(fmt::format("has no \"{}\"", key));
    return {*found, place_.empty() ? std::string(key) : place_ + "." + key, path_};
  }
  /// Calls f(reader) if the object has the key.
  template <class F>
  void if_present(const char* key, F f) const {
    if (value_.is_object() && value_.contains(key)) f(at(key));
  }
  /// Calls f(name, reader) for every member of an object, f("", reader) for every element of an array.
  template <class F>
  void each_member(F f) const {
    if (!value_.is_object()) fail("is " + kind() + ", not an object");
    for (const auto& [name, member] : value_.items()) f(name, Reader(member, place_ + "." + name, path_));
  }
  template <class F>
  void each_element(F f) const {
    if (!value_.is_array()) fail("is " + kind() + ", not a list");
    std::size_t k = 0;
    for (const Json& element : value_) f(Reader(element, fmt::format("{}[{}]", place_, k++), path_));
  }
  std::string text() const {
    if (!value_.is_string()) fail("is " + kind() + ", not a text");
    return value_.get<std::string>();
  }
  double number() const {
    if (value_.is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (!value_.is_number()) fail("is " + kind() + ", not a number or null");
    return value_.get<double>();
  }
  bool yes_or_no() const {
    if (!value_.is_boolean()) fail("is " + kind() + ", not true or false");
    return value_.get<bool>();
  }
  template <class Integer>
  Integer whole() const {
    if (!value_.is_number_integer() || (!value_.is_number_unsigned() && value_.get<std::int64_t>() < 0) ||
        value_.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<Integer>::max()))
      fail("is " + kind() + " that is no whole number from 0 on of the size expected");
    return static_cast<Integer>(value_.get<std::uint64_t>());
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    fail_to_load(path_, (place_.empty() ? "the whole" : place_) + " " + what);
  }
  std::string kind() const {
    const std::string name = value_.type_name();
    return name == "null" ? name : (name == "object" || name == "array" ? "an " : "a ") + name;
  }

  const Json& value_;
  std::string place_;
  const std::string& path_;
};

/// Looks through a text before anything is made of it, and stops where no record goes: at what is too deep,
/// or at too many names, which an object seeks one by one. So time and memory stay in proportion to the file.
class Bounds final : public Json::json_sax_t {
 public:
  explicit Bounds(const std::string& path) : path_(path) {}

  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t&) override {
    constexpr std::int64_t kMostSteps = 100'000'000;  // a single object of 14142 names takes them
    steps_ += names_.back()++;
    if (steps_ > kMostSteps) fail_to_load(path_, "has too many names in an object");
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  /// What is no JSON is parse's to say.
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool enter() {
    constexpr std::size_t kDeepest = 32;
    names_.push_back(0);
    if (names_.size() > kDeepest) fail_to_load(path_, "is nested more than 32 deep");
    return true;
  }
  bool leave() {
    names_.pop_back();
    return true;
  }
  const std::string& path_;
  std::vector<std::int64_t> names_;  // of what is open
  std::int64_t steps_ = 0;
};

Json parse(const std::string& path) {
  const detail::FileBytes file = detail::read_file("load_record", path);
  const std::span<const std::byte> bytes = file.span();
  const char* first = reinterpret_cast<const char*>(bytes.data());
  Bounds bounds(path);
  Json::sax_parse(first, first + bytes.size(), &bounds);
  try {
    return Json::parse(first, first + bytes.size());
  } catch (const Json::parse_error& e) {
    fail_to_load(path, fmt::format("not JSON from byte {} of {} on", e.byte, bytes.size()));
  } catch (const Json::out_of_range&) {
    throw DomainError(fmt::format(
        "[load_record] {}: a number in it is beyond the range of doubles; write null for what is not finite",
        path));
  }
}

Provenance read_provenance(const Reader& from) {
  return {.cpu = from.at("cpu").text(),
          .blas_core = from.at("blas_core").text(),
          .blas_config = from.at("blas_config").text(),
          .blas_threads = from.at("blas_threads").whole<int>(),
          .isa = from.at("isa").text(),
          .compiler = from.at("compiler").text(),
          .build_type = from.at("build_type").text()};
}

std::string optional_text(const Reader& from, const char* key) {
  std::string text;
  from.if_present(key, [&](const Reader& value) { text = value.text(); });
  return text;
}

std::vector<Clause> optional_clauses(const Reader& from, const char* key) {
  std::vector<Clause> clauses;
  from.if_present(key, [&](const Reader& list) {
    list.each_element([&](const Reader& clause) {
      clauses.push_back({.name = clause.at("name").text(),
                         .lhs = clause.at("lhs").number(),
                         .rhs = clause.at("rhs").number(),
                         .margin = clause.at("margin").number(),
                         .holds = clause.at("holds").yes_or_no(),
                         .where = optional_text(clause, "where"),
                         .within = optional_text(clause, "within")});
    });
  });
  return clauses;
}

Check read_check(const Reader& from) {
  return {.name = from.at("name").text(),
          .source = from.at("source").text(),
          .claim = from.at("claim").text(),
          .lhs = from.at("lhs").number(),
          .rhs = from.at("rhs").number(),
          .margin = from.at("margin").number(),
          .verdict = from.at("verdict").text(),
          .expected = from.at("expected").text(),
          .scope = optional_text(from, "scope"),
          .note = optional_text(from, "note"),
          .citation = optional_text(from, "citation"),
          .formula = optional_text(from, "formula"),
          .hypotheses = optional_clauses(from, "hypotheses"),
          .steps = optional_clauses(from, "steps"),
          .witness = optional_text(from, "witness")};
}

}  // namespace

Record Record::of(std::string lesson, std::uint64_t seed) {
  Record record;
  record.lesson = std::move(lesson);
  record.seed = seed;
  record.provenance = cotangent::provenance();
  return record;
}

void Record::figure(std::string file, std::string caption) {
  if (!caption.empty()) captions.emplace_back(file, std::move(caption));
  figures.push_back(std::move(file));
}

std::string_view Record::caption(std::string_view file) const noexcept {
  for (const auto& [name, text] : captions)
    if (name == file) return text;
  return {};
}

bool Record::as_expected() const {
  return std::all_of(checks.begin(), checks.end(), [](const Check& c) { return c.as_expected(); });
}

void save(const std::string& path, const Record& record) {
  if (const std::optional<std::string> wrong = fault(record))
    throw DomainError(fmt::format("[save] {}: {}; correct the record", path, *wrong));
  // Bytes that are not UTF-8 are replaced: a record must not be lost for a path name.
  const std::string text = to_json(record).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::span<const std::byte> bytes = std::as_bytes(std::span<const char>(text));
  detail::atomic_write("save", path, {&bytes, 1});
}

Record load_record(const std::string& path) {
  const Json json = parse(path);
  const Reader root(json, "", path);
  Record record;
  record.lesson = root.at("lesson").text();
  record.seed = root.at("seed").whole<std::uint64_t>();
  record.provenance = read_provenance(root.at("provenance"));
  root.at("metrics").each_member(
      [&](const std::string& name, const Reader& value) { record.metric(name, value.number()); });
  root.at("checks").each_element([&](const Reader& check) { record.check(read_check(check)); });
  root.at("figures").each_element([&](const Reader& file) { record.figure(file.text()); });
  root.if_present("captions", [&](const Reader& captions) {
    captions.each_member([&](const std::string& file, const Reader& text) {
      record.captions.emplace_back(file, text.text());
    });
  });
  record.claim = optional_text(root, "claim");
  record.statement = optional_text(root, "statement");
  root.if_present("seconds", [&](const Reader& value) { record.seconds = value.number(); });
  if (const std::optional<std::string> wrong = fault(record)) fail_to_load(path, *wrong);
  return record;
}

}  // namespace cotangent::report
