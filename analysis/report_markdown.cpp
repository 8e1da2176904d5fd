#include <fmt/format.h>

#include "analysis/report.h"
#include "analysis/report_model.h"
#include "analysis/report_text.h"

namespace brokerlab {
namespace {

using report::markdown_escaped;
using report::Section;
using report::Table;

std::string table_markdown(const Table& table, const char* level) {
  if (table.empty()) return "";
  std::string text = fmt::format("{} {}\n\n", level, markdown_escaped(table.title));
  if (!table.note.empty()) text += markdown_escaped(table.note) + "\n\n";
  text += "|";
  for (const report::Column& column : table.columns) text += " " + markdown_escaped(column.name) + " |";
  text += "\n|";
  for (const report::Column& column : table.columns) text += column.number ? " ---: |" : " --- |";
  text += "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool missing = row[i].text.empty() && !table.columns[i].name.empty();
      const std::string hint = row[i].hint.empty() ? "" : " (" + markdown_escaped(row[i].hint) + ")";
      text += " " + (missing ? std::string("not measured") : markdown_escaped(row[i].text)) + hint + " |";
    }
    text += "\n";
  }
  return text + "\n";
}

std::string list_markdown(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += "- " + markdown_escaped(item) + "\n";
  return text.empty() ? "" : text + "\n";
}

Table flags_table(const Section& section) {
  Table table{"Flags",
              "",
              {{"flag", false}, {"state", false}, {"worst value"}, {"expected"}, {"meaning", false}},
              {}};
  std::size_t passed = 0;
  for (const report::Flag& flag : section.flags) {
    if (flag.state == "pass") {
      ++passed;
      continue;
    }
    const std::string where = flag.variants.empty() ? "" : " — " + report::joined(flag.variants);
    table.rows.push_back({{flag.name}, {flag.state}, {flag.value}, {flag.threshold}, {flag.reason + where}});
  }
  if (!table.empty()) table.note = fmt::format("{} more passed.", passed);
  return table;
}

// A fence longer than any run of backticks within, so that the command cannot end it.
std::string fenced(const std::string& text) {
  std::string fence = "```";
  while (text.find(fence) != std::string::npos) fence += "`";
  return fmt::format("{}sh\n{}\n{}\n\n", fence, text, fence);
}

std::string section_markdown(const Section& section) {
  std::string text = fmt::format("# {}\n\n", markdown_escaped(section.experiment));
  if (!section.question.empty()) text += fmt::format("*{}*\n\n", markdown_escaped(section.question));
  text += list_markdown(section.headlines);
  text += fmt::format("Verdict: **{}**{} · {} · run {}\n\n", markdown_escaped(section.verdict.status),
                      section.aborted ? ", aborted" : "", markdown_escaped(section.started_at),
                      markdown_escaped(section.run_id));
  text += list_markdown(section.verdict.reasons);
  text += table_markdown(section.thresholds, "##");
  if (!section.answers.empty()) text += fmt::format("## {}\n\n", report::questions_heading(section.answers));
  for (const Table& table : section.answers) text += table_markdown(table, "###");
  text += table_markdown(section.pipeline, "##");
  text += table_markdown(section.loops, "##");
  text += table_markdown(section.search, "##");
  text += table_markdown(section.comparison, "##");
  text += table_markdown(section.pairs, "##");
  text += table_markdown(section.scaling, "##");
  text += table_markdown(flags_table(section), "##");
  for (const report::VariantPart& part : section.variants) {
    text += fmt::format("## {}\n\nVerdict: **{}**\n\n", markdown_escaped(part.name),
                        markdown_escaped(part.verdict.status));
    text += list_markdown(part.verdict.reasons);
    for (const Table& table : part.tables) text += table_markdown(table, "###");
    if (!part.notices.empty()) text += "### Notices\n\n" + list_markdown(part.notices);
  }
  if (!section.command.empty()) text += "## Run it again\n\n" + fenced(section.command);
  return text + table_markdown(section.environment, "##");
}

}  // namespace

std::string report_markdown(const std::vector<Json>& results) {
  std::string text;
  for (const Json& result : results) text += section_markdown(report::section_of(result));
  return text;
}

}  // namespace brokerlab
