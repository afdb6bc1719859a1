// A verdict as a file that Python reads, its witness beside it.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "autodiff/error.hpp"
#include "autodiff/files/files.hpp"
#include "theory/verdict.hpp"

namespace cotangent::theory {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no word for numbers that are not finite; Python's float() reads these.
Json number(double x) {
  if (std::isfinite(x)) return x;
  return std::isnan(x) ? "nan" : x > 0.0 ? "inf" : "-inf";
}

Json numbers(std::span<const double> list) {
  Json json = Json::array();
  for (const double x : list) json.push_back(number(x));
  return json;
}

Json to_json(const Measured& m) {
  return {{"value", number(m.value())}, {"error", number(m.error())}, {"by", to_string(m.by())}};
}

Json to_json(const Inequality& q) {
  return {{"name", q.name},
          {"where", q.where},
          {"lhs", to_json(q.lhs)},
          {"relation", to_string(q.relation)},
          {"rhs", to_json(q.rhs)},
          {"difference", q.difference ? to_json(*q.difference) : Json(nullptr)},
          {"margin", number(q.margin())},
          {"holds", q.holds()},
          {"proved", q.proved()},
          {"disproved", q.disproved()}};
}

Json to_json(const std::vector<Inequality>& list) {
  Json json = Json::array();
  for (const Inequality& q : list) json.push_back(to_json(q));
  return json;
}

Json named(const std::vector<std::pair<std::string, double>>& list) {
  Json json = Json::array();
  for (const auto& [name, value] : list) json.push_back({{"name", name}, {"value", number(value)}});
  return json;
}

Json to_json(const SearchRecord& s) {
  Json starts = Json::array();
  for (const Params& start : s.starts) starts.push_back(numbers(start.flat().data()));
  return {{"radius", number(s.radius)},
          {"domain", s.domain ? number(*s.domain) : Json(nullptr)},
          {"evaluations", s.evaluations},
          {"starts", std::move(starts)},
          {"seed", s.seed},
          {"points", s.points},
          {"not_evaluated", s.not_evaluated},
          {"farthest", number(s.farthest)}};
}

Json to_json(const Box& b) {
  return {{"lower", numbers(b.lower.data())}, {"upper", numbers(b.upper.data())}};
}

Json to_json(const BoxRecord& b) {
  Json undecided = Json::array();
  for (const Box& box : b.undecided) undecided.push_back(to_json(box));
  return {{"box", to_json(b.box)},
          {"looked_at", b.looked_at},
          {"proved", b.proved},
          {"undecided", std::move(undecided)}};
}

const char* word(Series::Kind kind) {
  return kind == Series::Kind::observed    ? "observed"
         : kind == Series::Kind::predicted ? "predicted"
                                           : "noted";
}

}  // namespace

void Verdict::save(const std::string& path) const {
  const std::filesystem::path file(path);
  if (file.extension() != ".json" || file.stem().empty())
    throw DomainError(
        fmt::format("[Verdict::save] {}: not a name for JSON; give one that ends in .json", path));
  Json json = {{"name", claim.name},
               {"statement", claim.statement},
               {"source", claim.source},
               {"citation", claim.citation},
               {"tex", claim.tex},
               {"outcome", theory::to_string(outcome)},
               {"vacuous", vacuous},
               {"domain", domain.text},
               {"reason", reason},
               {"conclusion", to_json(conclusion)},
               {"hypotheses", to_json(hypotheses)},
               {"steps", to_json(steps)},
               {"account", named(account)},
               {"numbers", named(numbers)},
               {"points", points},
               {"seed", seed}};
  json["series"] = Json::array();
  for (const Series& s : series)
    json["series"].push_back(
        {{"name", s.name}, {"kind", word(s.kind)}, {"values", theory::numbers(s.values)}});
  const auto beside = [&](const char* suffix, const Params& w) {
    std::filesystem::path name = file;
    name.replace_extension(suffix);
    cotangent::save(name.string(), w);
    return name.filename().string();
  };
  if (witness) json["witness"] = beside(".npz", *witness);
  if (last) json["last"] = beside(".last.npz", *last);
  if (boxes) json["boxes"] = to_json(*boxes);
  if (search) {
    json["search"] = to_json(*search);
    json["search"]["centre"] = beside(".centre.npz", search->centre);
  }
  // Names may come from anywhere: what is not UTF-8 is replaced.
  const std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(text))};
  detail::atomic_write("Verdict::save", path, pieces);
}

}  // namespace cotangent::theory
