// The course page: what it shows, that hostile records stay text, and the program's exit codes.
#include "report/course_page.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "report/json.hpp"
#include "tests/files_support.hpp"

namespace cotangent::report {
namespace {

using test::error_of;
using test::read_bytes;
using test::TemporaryDirectory;
using test::write_bytes;
using testing::Test;

Record record(const std::string& lesson) {
  Record made;
  made.lesson = lesson;
  made.seed = 7;
  made.provenance.cpu = "a processor";
  made.provenance.blas_threads = 2;
  made.metric("test_accuracy", 0.9685);
  made.metric("loss", 0.125);
  made.check({.name = "rate",
              .source = "ece8101 O7",
              .claim = "f_k <= c^k f_0",
              .lhs = 0.25,
              .rhs = 0.5,
              .margin = 0.25,
              .verdict = "certified",
              .expected = "certified"});
  made.check({.name = "lecture step",
              .source = "ece8101 O23",
              .claim = "s = 2 mu B / L",
              .lhs = 1.0,
              .rhs = 0.6,
              .margin = -0.4,
              .verdict = "refuted",
              .expected = "refuted"});
  made.figure("my figure#1.svg");
  return made;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Python's parser walks the page: every element is closed in order, nothing is loaded, nothing can run.
constexpr const char* kCheckPage = R"(
import html.parser, sys
class Checker(html.parser.HTMLParser):
    open, problems, ids, links = [], [], set(), []
    def handle_starttag(self, tag, attrs):
        if tag in ('script', 'iframe', 'object', 'embed', 'base', 'form', 'img', 'video', 'audio'):
            self.problems.append('element ' + tag)
        for name, value in attrs:
            if name.startswith('on'): self.problems.append('handler ' + name)
            if name == 'id': self.ids.add(value)
            if name in ('src', 'srcset'): self.problems.append(name + ' ' + value)
            if name == 'href':
                if tag == 'a': self.links.append(value)
                elif value != 'data:,': self.problems.append('loads ' + value)
        if tag not in ('meta', 'link'): self.open.append(tag)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.problems.append('unbalanced ' + tag)
checker = Checker()
page = open(sys.argv[1], encoding='utf-8').read()
checker.feed(page)
checker.close()
if checker.open: checker.problems.append('left open: ' + ' '.join(checker.open))
for link in checker.links:
    if link.startswith('#'):
        if link[1:] not in checker.ids: checker.problems.append('leads nowhere: ' + link)
    elif not link.startswith('./'): checker.problems.append('not relative: ' + link)
for word in ('http://', 'https://', '@import', 'url('):
    if word in page: checker.problems.append('contains ' + word)
print('\n'.join(checker.problems), end='')
sys.exit(1 if checker.problems else 0)
)";

std::string problems_of_page(const std::string& path) { return test::run_python(kCheckPage, {path}).output; }

TEST(CoursePage, ShowsEveryLesson) {
  const TemporaryDirectory folder;
  save(folder / "02_train.json", record("02_train"));
  save(folder / "01_gradients.json", record("01_gradients"));
  write_bytes(folder / "02_train.txt", "epoch  loss\n   1   0.5 < 1\n\x1b[32mdone\x1b[0m\n");
  write_bytes(folder / "unrelated.txt", "unrelated");
  const CoursePage page = write_course_page(folder.path());
  EXPECT_EQ(page.path, folder / "index.html");
  EXPECT_EQ(page.lessons, (std::vector<std::string>{"01_gradients", "02_train"}));
  EXPECT_TRUE(page.problems.empty());
  const std::string text = read_bytes(page.path);
  EXPECT_EQ(problems_of_page(page.path), "");
  EXPECT_TRUE(contains(text, "<p>2 lessons, 4 checks: every verdict is the one expected.</p>"));
  EXPECT_TRUE(
      contains(text,
               "<tr><td data-name=\"Lesson\"><a href=\"#02_train\">02_train</a></td><td "
               "data-name=\"Claims\">rate; lecture step</td><td data-name=\"Verdicts\">1 certified, 1 "
               "refuted</td><td data-name=\"Key number\">test_accuracy 0.9685</td></tr>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Claim\">s = 2 mu B / L</td>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Margin\" style=\"text-align:right\">-0.4</td>"));
  EXPECT_TRUE(contains(text,
                       "<td data-name=\"Metric\">loss</td><td data-name=\"Value\" "
                       "style=\"text-align:right\">0.125</td>"));
  EXPECT_TRUE(contains(text, ">epoch  loss\n   1   0.5 &lt; 1\ndone\n</pre>"));
  EXPECT_TRUE(contains(text, "<a href=\"./my%20figure%231.svg\">my figure#1.svg</a>"));
  EXPECT_TRUE(contains(text, "seed 7; a processor; "));
  EXPECT_FALSE(contains(text, "unrelated"));
  EXPECT_LT(text.find("id=\"01_gradients\""), text.find("id=\"02_train\""));
}

TEST(CoursePage, IsReadableEverywhere) {
  const TemporaryDirectory folder;
  save(folder / "01_a.json", record("01_a"));
  const std::string text = read_bytes(write_course_page(folder.path()).path);
  EXPECT_TRUE(contains(text, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"));
  EXPECT_TRUE(contains(text, "@media (prefers-color-scheme: dark)"));
  EXPECT_TRUE(contains(text, "@media (max-width: 45rem)"));
  EXPECT_TRUE(contains(text, "overflow-wrap: anywhere"));
  EXPECT_TRUE(contains(text, "overflow-x: auto"));
}

TEST(CoursePage, UnexpectedVerdictsAndBrokenRecordsAreProblems) {
  const TemporaryDirectory folder;
  Record bad = record("03_bad");
  bad.checks[0].verdict = "inconclusive";
  save(folder / "03_bad.json", bad);
  write_bytes(folder / "04_broken.json", "{\"lesson\": <b>");
  const CoursePage page = write_course_page(folder.path());
  const std::string broken = "[load_record] " + (folder / "04_broken.json") +
                             ": not JSON from byte 12 of 14 on; run the lesson again to write the file anew";
  EXPECT_EQ(page.problems,
            (std::vector<std::string>{"03_bad: rate: inconclusive, expected certified", broken}));
  const std::string text = read_bytes(page.path);
  EXPECT_EQ(problems_of_page(page.path), "");
  EXPECT_TRUE(contains(text, "<p>2 lessons, 2 checks: <span class=\"bad\">2 problems.</span></p>"));
  EXPECT_TRUE(contains(text, "1 inconclusive, 1 refuted <span class=\"bad\">not as expected</span>"));
  EXPECT_TRUE(contains(text, "<span class=\"bad\">no readable record</span>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Verdict\">inconclusive, expected certified</td>"));
  EXPECT_TRUE(contains(text, broken));
}

TEST(CoursePage, HostileRecordsStayText) {
  const TemporaryDirectory folder;
  const std::string attack = "\"><script>alert('x')</script><img src=x onerror=alert(1)>";
  Record hostile = record("01 \"><script>");
  hostile.provenance.cpu = attack;
  hostile.metrics[0].first = attack;
  hostile.checks[0] = {.name = attack,
                       .source = attack,
                       .claim = attack,
                       .lhs = 0.0,
                       .rhs = 0.0,
                       .margin = 0.0,
                       .verdict = "refuted",
                       .expected = "refuted"};
  hostile.figure("javascript:alert(1)");
  hostile.figure(attack);
  save(folder / "01 \"><b>.json", hostile);
  write_bytes(folder / "01 \"><b>.txt", attack + "</pre>\xff\x01");
  const CoursePage page = write_course_page(folder.path());
  EXPECT_TRUE(page.problems.empty());
  EXPECT_EQ(problems_of_page(page.path), "");
  EXPECT_TRUE(contains(read_bytes(page.path), "<a href=\"./javascript%3Aalert%281%29\">"));
}

TEST(CoursePage, Errors) {
  const TemporaryDirectory folder;
  const std::string missing = folder / "none";
  EXPECT_EQ(error_of<DomainError>([&] { write_course_page(missing); }),
            "[course_page] " + missing +
                ": cannot be read: No such file or directory; give the folder the lessons wrote to");
  EXPECT_EQ(error_of<DomainError>([&] { write_course_page(folder.path()); }),
            "[course_page] " + folder.path() + ": no *.json in it; run the lessons with --out " +
                folder.path() + " first");
  EXPECT_FALSE(std::filesystem::exists(folder / "index.html"));
}

/// The program's exit code and what it wrote, by Python so that no shell reads the arguments.
test::Finished run_program(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return test::run_python("import subprocess, sys\nsys.exit(subprocess.run(sys.argv[1:]).returncode)", words);
}

TEST(CoursePageProgram, ExitsAsLessonsDo) {
  const char* build = std::getenv("COTANGENT_BUILD_DIR");
  const std::string program = std::string(build ? build : ".") + "/examples/course_page";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << program << " is not built";
  const TemporaryDirectory folder;
  EXPECT_EQ(run_program(program, {}).status, 2);
  EXPECT_EQ(run_program(program, {"a", "b"}).status, 2);
  EXPECT_EQ(run_program(program, {"--unknown"}).status, 2);
  EXPECT_EQ(run_program(program, {folder.path()}).status, 2);
  const test::Finished help = run_program(program, {"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_TRUE(help.output.starts_with("usage: course_page DIR\n"));
  save(folder / "01_a.json", record("01_a"));
  const test::Finished good = run_program(program, {folder.path()});
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.output, (folder / "index.html") + ": 1 lessons, 0 problems\n");
  Record bad = record("02_bad");
  bad.checks[1].verdict = "supported";
  save(folder / "02_bad.json", bad);
  const test::Finished failed = run_program(program, {folder.path()});
  EXPECT_EQ(failed.status, 1);
  EXPECT_TRUE(contains(failed.output, "02_bad: lecture step: supported, expected refuted\n"));
}

}  // namespace
}  // namespace cotangent::report
