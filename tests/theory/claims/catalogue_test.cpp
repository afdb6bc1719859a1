// The catalogue: its rows, the lookup, and the texts made of a row.
#include "theory/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "autodiff/error.hpp"

namespace cotangent::theory {
namespace {

using testing::HasSubstr;

bool is_plain_line(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::ptrdiff_t dollars(std::string_view text) { return std::ranges::count(text, '$'); }

std::string error_of(std::string_view id) {
  try {
    entry(id);
  } catch (const DomainError& error) {
    return error.what();
  }
  return "";
}

TEST(Catalogue, EveryIdHasOneRow) {
  std::set<std::string_view> ids;
  for (const Entry& row : catalogue()) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_EQ(&entry(row.id), &row);
  }
  EXPECT_GE(ids.size(), 146U);
}

TEST(Catalogue, NoNumberOfASectionIsLeftOut) {
  std::vector<std::string> expected;
  const auto add = [&](const std::string& letter, int last) {
    for (int k = 1; k <= last; ++k) expected.push_back(letter + std::to_string(k));
  };
  add("O", 40), add("A", 14), add("P", 4), add("K", 22), add("L", 12), add("X", 9), add("G", 12);
  add("2.", 10), add("3.", 10), add("4.", 3), add("5.", 10);
  std::vector<std::string> ids;
  for (const Entry& row : catalogue()) ids.emplace_back(row.id);
  ASSERT_GT(ids.size(), expected.size());
  const std::vector<std::string> derived(ids.begin() + static_cast<std::ptrdiff_t>(expected.size()),
                                         ids.end());
  ids.resize(expected.size());
  EXPECT_EQ(ids, expected);
  EXPECT_TRUE(std::ranges::is_sorted(derived));
  for (const std::string& id : derived) EXPECT_TRUE(id.starts_with("6.") || id.starts_with("7.")) << id;
}

TEST(Catalogue, RowsAreFilled) {
  const std::set<std::string_view> lectures = {"proxy", "cpsc532s", "landscape", "ece826", "ece8101"};
  std::set<std::string_view> titles, statements;
  for (const Entry& row : catalogue()) {
    SCOPED_TRACE(row.id);
    const bool addition = row.id.front() >= '2' && row.id.front() <= '7';
    EXPECT_EQ(lectures.contains(row.lecture), !addition);
    EXPECT_EQ(row.lecture.empty(), addition);
    for (const std::string_view text : {row.title, row.statement, row.tex}) EXPECT_FALSE(text.empty());
    for (const std::string_view text : {row.id, row.place, row.title, row.statement, row.tex})
      EXPECT_TRUE(is_plain_line(text)) << text;
    EXPECT_FALSE(row.title.ends_with('.') || row.statement.ends_with('.'));
    EXPECT_TRUE(row.tex.ends_with('.'));
    EXPECT_TRUE(titles.insert(row.title).second) << row.title;
    EXPECT_TRUE(statements.insert(row.statement).second);
  }
}

TEST(Catalogue, FormulasStandBetweenDollars) {
  std::size_t with_formulas = 0;
  for (const Entry& row : catalogue()) {
    EXPECT_EQ(dollars(row.tex) % 2, 0) << row.id;
    EXPECT_EQ(row.tex.find("$$"), std::string_view::npos) << row.id;
    with_formulas += dollars(row.tex) > 0;
    EXPECT_EQ(std::ranges::count(row.tex, '{'), std::ranges::count(row.tex, '}')) << row.id;
  }
  EXPECT_GE(with_formulas + 2, catalogue().size());
}

TEST(Catalogue, StatesSayWhatARowNames) {
  for (const Entry& row : catalogue()) {
    SCOPED_TRACE(row.id);
    EXPECT_EQ(row.state == State::here, !row.check.empty());
    EXPECT_EQ(row.state == State::here, !row.test.empty());
    EXPECT_TRUE(row.state == State::here || row.lesson.empty());
    EXPECT_EQ(row.state == State::open, row.id.front() == 'P');
  }
  EXPECT_EQ(entry("K18").state, State::quoted);
  EXPECT_STREQ(to_string(State::here), "here");
  EXPECT_STREQ(to_string(State::planned), "planned");
  EXPECT_STREQ(to_string(State::quoted), "quoted");
  EXPECT_STREQ(to_string(State::open), "open");
}

TEST(Catalogue, ARowHoldsWhatTheSheetSays) {
  const Entry& row = entry("O35");
  EXPECT_EQ(row.lecture, "proxy");
  EXPECT_EQ(row.check, "check_leaky_relu_theorem");
  EXPECT_THAT(std::string(row.statement), HasSubstr("T >= (3/2) |W_0 - V|_F^2/(eta eps)"));
  EXPECT_THAT(std::string(entry("O2").statement), HasSubstr("(2/(a T))"));  // not the 1/(a T) of the lecture
  EXPECT_THAT(std::string(entry("G8").statement), HasSubstr("log(2 d)"));   // not its log d
}

TEST(Catalogue, SourcesAndCitations) {
  EXPECT_EQ(entry("O35").source(), "proxy O35");
  EXPECT_EQ(entry("O35").citation(), "lecture 000, leaky ReLU theorem (O35)");
  EXPECT_EQ(entry("2.4").source(), "additions 2.4");
  EXPECT_EQ(entry("2.4").citation(), "additions, shortest path (2.4)");
  EXPECT_EQ(entry("X5").citation(), "lecture 001, depth separation by the sawtooth (X5)");
  EXPECT_EQ(entry("L7").citation(), "lecture 002, critical points of matrix factorisation (L7)");
  EXPECT_EQ(entry("O3").citation(), "lecture 003, SGD on nonconvex functions (O3)");
  EXPECT_EQ(entry("O15").citation(), "lecture 004, tangent kernel as PL* constant (O15)");
}

TEST(Catalogue, UnknownIdsNameTheNearest) {
  EXPECT_EQ(error_of("O41"), "[entry] the catalogue has no \"O41\"; the nearest ids are O40, O31, O21");
  EXPECT_THAT(error_of("o35"), HasSubstr("nearest ids are O35, "));
  EXPECT_THAT(error_of("2.11"), HasSubstr("nearest ids are 2.10, "));
  EXPECT_THAT(error_of("6.4"), HasSubstr("nearest ids are 6.4a, 6.4b, 6.4c"));
  for (const std::string_view wrong : {"", "proxy O35", "999999999999999999999"})
    EXPECT_THAT(error_of(wrong), HasSubstr("the nearest ids are ")) << wrong;
}

}  // namespace
}  // namespace cotangent::theory
