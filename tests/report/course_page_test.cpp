// The course page: what it shows, that hostile records stay text, and the program's exit codes.
#include "report/course_page.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "autodiff/error.hpp"
#include "report/json.hpp"
#include "tests/support/files_support.hpp"

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
        if tag in ('script', 'iframe', 'object', 'embed', 'base', 'form', 'video', 'audio'):
            self.problems.append('element ' + tag)
        for name, value in attrs:
            if name.startswith('on'): self.problems.append('handler ' + name)
            if name == 'id': self.ids.add(value)
            if name in ('src', 'srcset') and not value.startswith('data:image/'):
                self.problems.append(name + ' ' + value)
            if name == 'href':
                if tag == 'a': self.links.append(value)
                elif value != 'data:,': self.problems.append('loads ' + value)
        if tag not in ('meta', 'link', 'img'): self.open.append(tag)
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
  EXPECT_TRUE(page.notes.empty());
  for (const char* file : {"index.html", "01_gradients.html", "02_train.html"})
    EXPECT_EQ(problems_of_page(folder / file), "") << file;
  const std::string overview = read_bytes(page.path);
  EXPECT_TRUE(contains(overview, "<p>2 lessons, 4 checks: every verdict is the one expected.</p>"));
  EXPECT_TRUE(contains(
      overview,
      "<tr><td data-name=\"Lesson\" class=\"fixed\"><a href=\"./02_train.html\">02_train</a></td><td "
      "data-name=\"Claim\">rate; lecture step</td><td data-name=\"Verdicts\"><span class=\"certified "
      "verdict\">1 certified</span>, <span class=\"refuted verdict\">1 refuted</span></td><td "
      "data-name=\"Key "
      "number\" class=\"words\">test_accuracy 0.9685</td><td data-name=\"Time\" class=\"fixed\"></td></tr>"));
  EXPECT_LT(overview.find(">01_gradients<"), overview.find(">02_train<"));
  const std::string text = read_bytes(folder / "02_train.html");
  EXPECT_TRUE(contains(text, "<td data-name=\"Claim\">s = 2 mu B / L</td>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Margin\" style=\"text-align:right\">-0.4</td>"));
  EXPECT_TRUE(contains(text,
                       "<td data-name=\"Metric\">loss</td><td data-name=\"Value\" "
                       "style=\"text-align:right\">0.125</td>"));
  EXPECT_TRUE(contains(text, ">epoch  loss\n   1   0.5 &lt; 1\ndone\n</pre>"));
  EXPECT_TRUE(contains(text, "<a href=\"./my%20figure%231.svg\">my figure#1.svg</a>"));
  EXPECT_TRUE(contains(text, "seed 7; a processor; "));
  EXPECT_TRUE(contains(text, "<a href=\"./01_gradients.html\">Previous: 01_gradients</a>"));
  EXPECT_FALSE(contains(text, "Next: "));
  EXPECT_FALSE(contains(text, "<details")) << "no check says more than its row";
  EXPECT_FALSE(contains(text, "unrelated"));
  EXPECT_TRUE(
      contains(read_bytes(folder / "01_gradients.html"), "<a href=\"./02_train.html\">Next: 02_train</a>"));
}

TEST(CoursePage, ShowsAllALessonSays) {
  const TemporaryDirectory folder;
  Record full = record("01_full");
  full.claim = "Descent < ascent";
  full.statement = "If $f \\le g$, then so.\n\nAnd \\$5.";
  full.seconds = 0.25;
  full.figures.clear();
  full.figure("01_full_a.svg", "A \"curve\"");
  full.figure("01_full_b.png");
  full.figure("01_full_gone.png", "Gone");
  full.figure("../01_full_b.png");
  Check& check = full.checks[0];
  check.scope = "on this trajectory";
  check.note = "PL fails & more";
  check.hypotheses = {
      {.name = "PL", .lhs = 2.0, .rhs = 1.5, .margin = -0.5, .holds = false, .where = "iterate 17"}};
  check.steps = {{.name = "descent lemma", .lhs = 1.0, .rhs = 1.25, .margin = 0.25, .holds = true}};
  check.witness = "01_full_witness.npz";
  save(folder / "01_full.json", full);
  write_bytes(folder / "01_full_a.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>");
  write_bytes(folder / "01_full_b.png", "ab");
  write_bytes(folder / "01_full.cpp", "int main() { return 1 < 2; }\n");
  const CoursePage page = write_course_page(folder.path());
  EXPECT_TRUE(page.problems.empty());
  EXPECT_EQ(problems_of_page(folder / "01_full.html"), "");
  const std::string overview = read_bytes(page.path), text = read_bytes(folder / "01_full.html");
  EXPECT_TRUE(contains(overview, "<td data-name=\"Claim\">Descent &lt; ascent</td>"));
  EXPECT_TRUE(contains(overview, "<td data-name=\"Time\" class=\"fixed\">0.25 s</td>"));
  EXPECT_TRUE(contains(text, "<p class=\"claim\">Descent &lt; ascent</p>"));
  EXPECT_TRUE(
      contains(text, page.notes.empty() ? "<p>If <math><mrow><mi>f</mi>" : "<p>If <code>f \\le g</code>"));
  EXPECT_TRUE(contains(text, ", then so.</p>\n<p>And $5.</p>"));
  EXPECT_TRUE(
      contains(text,
               "<figure><img src=\"data:image/svg+xml;base64,"
               "PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnIHdpZHRoPSc5JyBoZWlnaHQ9JzknLz4=\" "
               "alt=\"A &quot;curve&quot;\"><figcaption>A &quot;curve&quot; <a "
               "href=\"./01_full_a.svg\">01_full_a.svg</a></figcaption></figure>"));
  EXPECT_TRUE(contains(text, "<img src=\"data:image/png;base64,YWI=\" alt=\"01_full_b.png\">"));
  EXPECT_TRUE(contains(text, "<figure><figcaption>Gone <a "));
  EXPECT_TRUE(contains(text, "<figure><figcaption><a href=\"./../01_full_b.png\">"))
      << "only files of the folder";
  EXPECT_TRUE(contains(text, "<a href=\"#check-1\">rate</a>"));
  EXPECT_TRUE(
      contains(text,
               "<details class=\"check\" id=\"check-1\"><summary>rate: <span class=\"certified "
               "verdict\">certified</span>, on this trajectory</summary>\n<p>PL fails &amp; more</p>"));
  EXPECT_TRUE(contains(text, "<h3>Hypotheses</h3>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Hypothesis\">PL</td>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Where\">iterate 17</td><td data-name=\"Holds\">no</td>"));
  EXPECT_TRUE(contains(text, "<td data-name=\"Step\">descent lemma</td>"));
  EXPECT_TRUE(contains(text, "<p>Witness: <a href=\"./01_full_witness.npz\">01_full_witness.npz</a></p>"));
  EXPECT_FALSE(contains(text, "id=\"check-2\""));
  EXPECT_TRUE(contains(text, "<h2>Source</h2>\n<pre tabindex=\"0\">int main() { return 1 &lt; 2; }\n</pre>"));
  EXPECT_TRUE(contains(text, "seed 7; 0.25 s; a processor; "));
}

TEST(CoursePage, OfALessonCalledIndexIsNotTheOverview) {
  const TemporaryDirectory folder;
  save(folder / "index.json", record("index"));
  write_course_page(folder.path());
  EXPECT_TRUE(contains(read_bytes(folder / "index.html"), "<a href=\"./index_lesson.html\">index</a>"));
  EXPECT_TRUE(contains(read_bytes(folder / "index_lesson.html"), "<h1>index</h1>"));
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
  EXPECT_TRUE(contains(text,
                       "<span class=\"inconclusive verdict\">1 inconclusive</span>, <span class=\"refuted "
                       "verdict\">1 refuted</span> <span class=\"bad\">not as expected</span>"));
  EXPECT_TRUE(contains(text, "<span class=\"bad\">no readable record</span>"));
  EXPECT_TRUE(contains(read_bytes(folder / "03_bad.html"),
                       "<td data-name=\"Verdict\"><span class=\"bad verdict\">inconclusive, expected "
                       "certified</span></td>"));
  EXPECT_TRUE(contains(read_bytes(folder / "04_broken.html"), "<p class=\"bad\">" + broken + "</p>"));
  for (const char* file : {"03_bad.html", "04_broken.html"})
    EXPECT_EQ(problems_of_page(folder / file), "") << file;
}

TEST(CoursePage, ABadRecordStopsNoOthers) {
  const TemporaryDirectory folder;
  save(folder / "01_good.json", record("01_good"));
  std::string text = read_bytes(folder / "01_good.json");
  const std::string number = "\"lhs\": ";
  write_bytes(folder / "02_far.json",
              text.replace(text.find(number), number.size(), number + "1e999, \"was\": "));
  write_bytes(folder / "03_deep.json", std::string(1000000, '['));
  ASSERT_EQ(::mkfifo((folder / "04_pipe.json").c_str(), 0600), 0);
  ASSERT_TRUE(std::filesystem::create_directory(folder / "05_folder.json"));
  ASSERT_EQ(::symlink("nowhere", (folder / "06_lost.json").c_str()), 0);
  save(folder / "07_good.json", record("07_good"));
  const CoursePage page = write_course_page(folder.path());
  EXPECT_EQ(page.lessons.size(), 7u);
  const auto at = [&](const char* file) { return "[load_record] " + (folder / file) + ": "; };
  EXPECT_EQ(
      page.problems,
      (std::vector<std::string>{
          at("02_far.json") + "a number in it is beyond the range of doubles; write null for what is not "
                              "finite",
          at("03_deep.json") + "is nested more than 32 deep; run the lesson again to write the file anew",
          at("04_pipe.json") + "is not a regular file; give the name of a file",
          at("05_folder.json") + "is not a regular file; give the name of a file",
          at("06_lost.json") +
              "cannot be opened: No such file or directory; check the name and the permissions"}));
  for (const char* file : {"01_good.html", "07_good.html"})
    EXPECT_TRUE(contains(read_bytes(folder / file), "rate")) << file;
  EXPECT_EQ(problems_of_page(page.path), "");
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
  hostile.claim = attack;
  hostile.statement = attack;
  hostile.checks[0].scope = attack;
  hostile.checks[0].note = attack;
  hostile.checks[0].witness = "javascript:alert(2)";
  hostile.checks[0].steps = {{.name = attack, .where = attack}};
  hostile.figure("javascript:alert(1)", attack);
  hostile.figure(attack);
  save(folder / "01 \"><b>.json", hostile);
  write_bytes(folder / "01 \"><b>.txt", attack + "</pre>\xff\x01");
  const CoursePage page = write_course_page(folder.path());
  EXPECT_TRUE(page.problems.empty());
  EXPECT_EQ(problems_of_page(page.path), "");
  const std::string lesson = folder / "01 \"><b>.html";
  EXPECT_EQ(problems_of_page(lesson), "");
  EXPECT_TRUE(contains(read_bytes(lesson), "<a href=\"./javascript%3Aalert%281%29\">"));
  EXPECT_TRUE(contains(read_bytes(lesson), "<a href=\"./javascript%3Aalert%282%29\">"));
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
