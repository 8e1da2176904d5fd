#include "analysis/report.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "analysis/report_model.h"
#include "analysis/report_text.h"
#include "core/error.h"
#include "tests/analysis/report_fixture.h"

namespace brokerlab {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::size_t occurrences(const std::string& text, const std::string& of) {
  std::size_t count = 0;
  for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++count;
  return count;
}

// The text without everything from `begin` up to `end`. By hand: std::regex recurses over long texts.
std::string without(const std::string& text, const std::string& begin, const std::string& end) {
  std::string rest;
  std::size_t at = 0;
  for (std::size_t found = text.find(begin); found != std::string::npos; found = text.find(begin, at)) {
    rest += text.substr(at, found - at);
    at = text.find(end, found + begin.size());
    if (at == std::string::npos) return rest;
  }
  return rest + text.substr(at);
}

// The page without its scripts, style and pictures: what stems from the result.
std::string body_of(const std::string& html) {
  const std::size_t begin = html.find("<body>");
  return without(html.substr(begin, html.find("<script", begin) - begin), ";base64,", "\"");
}

// Whether a picture or link is neither part of the page nor a place on it.
bool leads_elsewhere(const std::string& body) {
  for (const char* attribute : {"src=\"", "href=\""}) {
    for (std::size_t at = body.find(attribute); at != std::string::npos; at = body.find(attribute, at + 1)) {
      const std::string target = body.substr(at + std::string(attribute).size(), 18);
      if (target != "data:image/svg+xml" && target[0] != '#') return true;
    }
  }
  return false;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The page about one fixture: made once, as drawing its pictures takes a second.
const std::string& page_about(const std::string& name) {
  static std::map<std::string, std::string> pages;
  std::string& page = pages[name];
  if (page.empty()) page = report_html({fixture(name)});
  return page;
}

TEST(Report, SaysInWordsWhatTheNumbersSay) {
  const report::Section section = report::section_of(fixture("work_queue"));
  EXPECT_EQ(section.headlines[0], "prefetch-1 finished 100 messages in 535 ms, push in 922 ms.");
  EXPECT_EQ(section.headlines[1],
            "Busy time was shared evenly with prefetch-1 (Jain 1.000), unevenly with push (0.616).");
  EXPECT_EQ(section.headlines.back(), "No message was lost.");
}

TEST(Report, TellsWhatTheBrokerDidNotPromise) {
  Json result = fixture("work_queue");
  result["runs"][0]["ledger"]["nacked"] = 225;
  result["runs"][0]["ledger"]["unknown"] = 1;
  EXPECT_THAT(
      report::section_of(result).headlines,
      testing::Contains("Messages that the broker promised nothing for: 225 were refused, and 1 was neither "
                        "confirmed nor refused."));
}

TEST(Report, TellsTheLossOfUnroutableMessages) {
  const report::Section section = report::section_of(fixture("fanout_vs_direct"));
  EXPECT_THAT(section.headlines[0], HasSubstr("unroutable"));
  EXPECT_THAT(section.headlines,
              testing::Contains("50.8 % of what direct published was unroutable: no queue took it."));
  EXPECT_THAT(section.headlines,
              testing::Contains("Deliveries per message published: 3 with fanout and 0.492 with direct."));
}

TEST(Report, ShowsWhatTheUncorrectedClockHides) {
  const report::Section section = report::section_of(fixture("broker_stall"));
  EXPECT_THAT(section.headlines[0], AllOf(HasSubstr("99 % within 1.8 s")));
  EXPECT_THAT(section.headlines[1], HasSubstr("would read 1.18 ms"));
}

TEST(Report, NeverTellsWhatWasNotMeasured) {
  const report::Section section = report::section_of(fixture("sparse"));
  EXPECT_THAT(section.headlines, ElementsAre("Too little was measured to say anything in a sentence."));
  const std::string body = body_of(page_about("sparse"));
  EXPECT_THAT(body, HasSubstr("not measured"));
  EXPECT_THAT(body, HasSubstr("validity unknown"));
  EXPECT_THAT(body, HasSubstr("the run was aborted"));
  EXPECT_THAT(body, Not(HasSubstr("No message was lost")));
}

TEST(Report, FailedAndUnmeasuredFlagsAreOpenPassedOnesAreFolded) {
  const std::string body = body_of(page_about("work_queue"));
  const std::size_t folded = body.find("<summary>19 passed</summary>");
  ASSERT_NE(folded, std::string::npos);
  EXPECT_LT(body.find("<code>TOO_FEW_TRIALS</code></th>"), folded);
  EXPECT_LT(body.find("<code>CPU_STEAL</code></th>"), folded);
  EXPECT_GT(body.find("<code>HICCUP</code></th>"), folded);
  EXPECT_THAT(body, HasSubstr("missed in 3 of 3"));
  EXPECT_THAT(body, HasSubstr("brokerlab run work-queue --repeat 3"));
}

TEST(Report, NamesBecomeTextEverywhere) {
  const std::string html = page_about("hostile");
  const std::string body = body_of(html);
  EXPECT_THAT(body, HasSubstr("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_EQ(occurrences(body, "<script"), 0u);
  EXPECT_EQ(occurrences(body, "<img "), occurrences(body, "<img width="));
  EXPECT_EQ(occurrences(html, "<script"), 4u) << "the options and three scripts";
  EXPECT_EQ(occurrences(html, "</script"), 4u);
  EXPECT_EQ(occurrences(html, "<!--"), 0u);
  EXPECT_EQ(html.find("\xe2\x80\xa8"), std::string::npos) << "U+2028 ends a line within a script";
  EXPECT_THAT(body, HasSubstr("&#39;onmouseover=&#39;"));
}

TEST(Report, IsOneFileWithAStrictPolicy) {
  const std::string html = report_html({fixture("sparse"), fixture("fanout_vs_direct")});
  EXPECT_THAT(html, HasSubstr("default-src 'none'; script-src 'sha256-"));
  const std::string policy = html.substr(html.find("Content-Security-Policy"), 700);
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  const std::string body = body_of(html);
  EXPECT_FALSE(leads_elsewhere(body));
  EXPECT_EQ(occurrences(body, " style="), 0u);
  EXPECT_THAT(body, HasSubstr("<a href=\"#result-1\"><strong>fanout-vs-direct</strong>"));
}

TEST(Report, HasAChartOfEachKindOnceOrPerVariant) {
  const std::string body = body_of(page_about("work_queue"));
  EXPECT_EQ(occurrences(body, "data-chart=\"latency\""), 1u);
  EXPECT_EQ(occurrences(body, "data-chart=\"throughput\""), 2u);
  EXPECT_EQ(occurrences(body, "data-chart=\"busy-time-per-worker\""), 2u);
  EXPECT_EQ(occurrences(body, "data-chart=\"ledger\""), 1u);
}

TEST(Report, ShowsOnlyTheChartsTheExperimentAsksFor) {
  Json result = fixture("work_queue");
  result["plan"]["variants"] = {{"push", {{"charts", {"ledger", "gantt"}}}}};
  const std::string body = body_of(report_html({result}));
  EXPECT_EQ(occurrences(body, "data-chart="), 3u);
}

TEST(Report, ResultsOfOneExperimentStandSideBySide) {
  Json other = fixture("broker_stall");
  other["run_id"] = "other";
  EXPECT_THAT(report_html({fixture("broker_stall"), other}), HasSubstr("All results together"));
  EXPECT_THAT(report_html({fixture("broker_stall"), fixture("work_queue")}),
              Not(HasSubstr("All results together")));
}

TEST(ReportMarkdown, TablesHaveTheirColumnsWhateverTheNames) {
  for (const std::string& name : fixture_names()) {
    std::size_t expected = 0;
    for (const std::string& line : lines_of(report_markdown({fixture(name)}))) {
      if (line.empty() || line[0] != '|') {
        expected = 0;
        continue;
      }
      const std::string bare = std::regex_replace(line, std::regex("\\\\."), "");
      const std::size_t bars = occurrences(bare, "|");
      if (expected == 0) expected = bars;
      EXPECT_EQ(bars, expected) << name << ": " << line;
    }
  }
}

TEST(ReportMarkdown, NamesBecomeText) {
  const std::string markdown = report_markdown({fixture("hostile")});
  EXPECT_THAT(markdown, Not(HasSubstr("](javascript:alert(4)) |")));
  // Within the fenced command everything is text; elsewhere nothing opens a tag.
  const std::string outside = without(markdown, "```sh", "\n```\n");
  EXPECT_EQ(occurrences(outside, "<script"), 0u);
  EXPECT_EQ(occurrences(outside, "[a](javascript"), 0u);
}

TEST(ReportSummary, IsCompactAndKeepsTheFigures) {
  const Json summary = report_summary({fixture("work_queue")});
  const Json& result = summary["results"][0];
  EXPECT_EQ(result["runs"].size(), 6u);
  EXPECT_EQ(result["runs"][0]["latency"]["end_to_end"].contains("hdr"), false);
  EXPECT_EQ(result["runs"][0].contains("series"), false);
  EXPECT_EQ(result["runs"][0]["latency"]["end_to_end"]["p50_ns"],
            fixture("work_queue")["runs"][0]["latency"]["end_to_end"]["p50_ns"]);
  EXPECT_THAT(result["flags"]["fail"].dump(), HasSubstr("TOO_FEW_TRIALS"));
  EXPECT_LT(summary.dump().size(), fixture("work_queue").dump().size() / 2);
}

TEST(ReportFile, TheExtensionSaysWhich) {
  const ScratchFolder folder;
  const auto begins = [&](const std::string& name) {
    write_report({fixture("broker_stall")}, folder / name);
    std::ifstream file(folder / name);
    std::string line;
    std::getline(file, line);
    return line;
  };
  EXPECT_EQ(begins("report.html"), "<!doctype html>");
  EXPECT_EQ(begins("report.md"), "# broker-stall");
  EXPECT_EQ(begins("report.json"), "{");
  EXPECT_THROW(write_report({}, folder / "report.pdf"), Error);
  EXPECT_THROW(write_report({}, folder / "no/such/report.md"), Error);
}

TEST(ReportFile, AnyPartMayBeMissing) {
  for (const char* name : {"work_queue", "broker_stall"}) {
    Json result = fixture(name);
    result["runs"] = Json::array({result["runs"][0]});
    for (auto& [key, value] : result.items()) {
      const Json kept = value;
      value = nullptr;
      EXPECT_NO_THROW(report_markdown({result})) << key;
      EXPECT_NO_THROW(report_summary({result})) << key;
      value = kept;
    }
    for (auto& [key, value] : result["runs"][0].items()) {
      const Json kept = value;
      value = nullptr;
      EXPECT_NO_THROW(report_markdown({result})) << "runs/0/" << key;
      EXPECT_NO_THROW(report_summary({result})) << "runs/0/" << key;
      value = kept;
    }
  }
  EXPECT_NO_THROW(report_html({Json::object()}));
  EXPECT_NO_THROW(report_html({}));
}

TEST(ReportText, QuotesForAShell) {
  EXPECT_EQ(report::shell_quoted("work-queue"), "work-queue");
  EXPECT_EQ(report::shell_quoted("a b"), "'a b'");
  EXPECT_EQ(report::shell_quoted("it's $(reboot)"), "'it'\\''s $(reboot)'");
  EXPECT_EQ(report::shell_quoted(""), "''");
}

TEST(ReportText, JsonInAScriptCannotEndIt) {
  const std::string text = report::script_json({{"</script><!--", "\u2028&"}});
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(Json::parse(text), Json({{"</script><!--", "\u2028&"}}));
}

}  // namespace
}  // namespace brokerlab
