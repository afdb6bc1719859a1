// Every file that was ever found to be hostile, once more through its harness.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "tests/fuzz/harnesses.hpp"
#include "tests/support/files_support.hpp"

namespace cotangent::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(__FILE__).parent_path() / "corpus";

class Replay : public testing::TestWithParam<Harness> {};

TEST_P(Replay, TakesLittleTimeAndMemory) {
  const Harness& harness = GetParam();
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kCorpus / harness.name)) {
    const std::string bytes = test::read_bytes(entry.path().string());
    const int peak = test::peak_mebibytes([&] {
      ::alarm(20);
      harness.run(bytes);
    });
    EXPECT_GE(peak, 0) << entry.path() << " ends the process";
    EXPECT_LT(peak, 200) << entry.path();
    if (peak >= 0) harness.run(bytes);  // and here, where leaks are seen
    ++files;
  }
  EXPECT_GT(files, 0);
}

INSTANTIATE_TEST_SUITE_P(Harnesses, Replay, testing::ValuesIn(harnesses().begin(), harnesses().end()),
                         [](const auto& which) { return std::string(which.param.name); });

TEST(Corpus, HasAFolderForEachHarness) {
  std::set<std::string> folders, names;
  for (const auto& entry : fs::directory_iterator(kCorpus)) folders.insert(entry.path().filename().string());
  for (const Harness& harness : harnesses()) names.emplace(harness.name);
  EXPECT_EQ(folders, names);
}

}  // namespace
}  // namespace cotangent::fuzz
