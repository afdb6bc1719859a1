// Prints the catalogue as JSON: an array of rows, in their order.
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "theory/catalogue.hpp"

int main() try {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const cotangent::theory::Entry& row : cotangent::theory::catalogue())
    rows.push_back({{"id", row.id},
                    {"lecture", row.lecture},
                    {"place", row.place},
                    {"title", row.title},
                    {"statement", row.statement},
                    {"tex", row.tex},
                    {"check", row.check},
                    {"test", row.test},
                    {"lesson", row.lesson},
                    {"state", to_string(row.state)},
                    {"source", row.source()},
                    {"citation", row.citation()}});
  std::puts(rows.dump(1).c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
