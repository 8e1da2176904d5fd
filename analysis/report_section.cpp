#include <fmt/format.h>

#include <algorithm>

#include "analysis/report_html.h"
#include "analysis/report_text.h"

namespace brokerlab::report {
namespace {

constexpr std::size_t kMostOpenVariants = 4;
constexpr std::size_t kMostOpenSections = 3;  // of a page whose variants are unfolded

const char* class_of(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return "good";
    case Tone::kBad:
      return "bad";
    case Tone::kMuted:
      return "muted";
    case Tone::kPlain:
      break;
  }
  return "";
}

const char* verdict_words(const std::string& status) {
  if (status == "valid") return "valid measurement";
  return status == "invalid" ? "invalid measurement" : "validity unknown";
}

std::string badge(const std::string& status) {
  const char* known = status == "valid" ? "valid" : status == "invalid" ? "invalid" : "unknown";
  return fmt::format("<span class=\"badge {}\">{}</span>", known, verdict_words(status));
}

std::string list_html(const std::vector<std::string>& items, const char* css_class) {
  if (items.empty()) return "";
  std::string html = fmt::format("<ul class=\"{}\">", css_class);
  for (const std::string& item : items) html += "<li>" + html_escaped(item) + "</li>";
  return html + "</ul>\n";
}

std::string cell_html(const Column& column, const Cell& cell, bool heads_row) {
  const bool missing = cell.text.empty() && !column.name.empty();
  const std::string classes =
      fmt::format("{}{}{}", column.number ? "number " : "", class_of(cell.tone), missing ? "muted" : "");
  std::string text = missing ? "not measured" : html_escaped(cell.text);
  if (!cell.hint.empty()) text += fmt::format(" <small>{}</small>", html_escaped(cell.hint));
  const char* tag = heads_row ? "th scope=\"row\"" : "td";
  return fmt::format("<{} class=\"{}\">{}</{}>", tag, classes, text, heads_row ? "th" : "td");
}

std::string header_html(const Section& section) {
  std::string html =
      fmt::format("<header>\n<p class=\"overline\">{}{}</p>\n<h2>{}</h2>\n<p class=\"badges\">{}{}</p>\n",
                  html_escaped(section.started_at),
                  section.run_id.empty() ? "" : " · run " + html_escaped(section.run_id),
                  html_escaped(section.experiment), badge(section.verdict.status),
                  section.aborted ? "<span class=\"badge unknown\">aborted</span>" : "");
  if (!section.question.empty())
    html += fmt::format("<p class=\"question\">{}</p>\n", html_escaped(section.question));
  html += fmt::format("<p class=\"headline\">{}</p>\n", html_escaped(section.headlines.front()));
  html += list_html({section.headlines.begin() + 1, section.headlines.end()}, "sentences");
  return html + "</header>\n";
}

// What a reader must know before believing a number: reasons against the verdict, and failed flags.
std::string doubts_html(const Section& section) {
  std::string html;
  if (!section.verdict.reasons.empty()) {
    html +=
        fmt::format("<div class=\"callout {}\"><h3>Why this is {}</h3>{}</div>\n",
                    section.verdict.status == "invalid" ? "invalid" : "unknown",
                    section.verdict.status == "invalid" ? "not a valid measurement" : "not known to be valid",
                    list_html(section.verdict.reasons, "plain"));
  }
  std::string warnings;
  for (const Flag& flag : section.flags) {
    if (flag.state != "fail") continue;
    const std::string where = flag.variants.empty() ? "" : " — " + html_escaped(joined(flag.variants));
    const std::string value = flag.value.empty()
                                  ? ""
                                  : fmt::format(" <span class=\"muted\">{}, {} expected</span>",
                                                html_escaped(flag.value), html_escaped(flag.threshold));
    warnings += fmt::format("<li>{}{}.{} <code>{}</code></li>", html_escaped(flag.reason), where, value,
                            html_escaped(flag.name));
  }
  if (!warnings.empty()) {
    html += "<div class=\"callout warning\"><h3>Keep in mind</h3><ul class=\"plain\">" + warnings +
            "</ul></div>\n";
  }
  return html;
}

std::string flag_rows(const std::vector<Flag>& flags, const std::string& state) {
  std::string rows;
  for (const Flag& flag : flags) {
    if (flag.state != state) continue;
    const char* tone = state == "fail" ? "bad" : state == "pass" ? "good" : "muted";
    const std::string where = flag.variants.empty() ? "" : " — " + html_escaped(joined(flag.variants));
    rows += fmt::format(
        "<tr><th scope=\"row\"><code>{}</code></th><td class=\"{}\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number muted\">{}</td><td>{}{}</td></tr>\n",
        html_escaped(flag.name), tone, html_escaped(flag.state), html_escaped(flag.value),
        html_escaped(flag.threshold), html_escaped(flag.reason), where);
  }
  return rows;
}

std::string flag_table(const std::string& rows, const char* reason_heading) {
  return fmt::format(
      "<div class=\"scroll\"><table class=\"flags\"><thead><tr><th>flag</th><th>state</th><th "
      "class=\"number\">worst "
      "value</th>"
      "<th class=\"number\">expected</th><th>{}</th></tr></thead><tbody>\n{}</tbody></table></div>\n",
      reason_heading, rows);
}

std::string flags_html(const std::vector<Flag>& flags) {
  const auto count = [&](const char* state) {
    return std::count_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.state == state; });
  };
  if (flags.empty()) return "";
  std::string html = fmt::format(
      "<section class=\"block\"><h3>Flags</h3>\n<p class=\"note\">Doubts that every run is checked for: {} "
      "failed, {} could not be "
      "measured, {} passed.</p>\n",
      count("fail"), count("unmeasured"), count("pass"));
  const std::string open = flag_rows(flags, "fail") + flag_rows(flags, "unmeasured");
  if (!open.empty()) html += flag_table(open, "what a failure means");
  if (count("pass") > 0) {
    html += fmt::format("<details><summary>{} passed</summary>\n{}</details>\n", count("pass"),
                        flag_table(flag_rows(flags, "pass"), "what a failure would mean"));
  }
  return html + "</section>\n";
}

std::string variant_html(const VariantPart& part, const ChartSource& source, PageCharts& charts,
                         const Section& section, bool open) {
  std::string html =
      fmt::format("<details class=\"variant c{}\"{}>\n<summary><h3>{}</h3>{}</summary>\n", part.colour % 8,
                  open ? " open" : "", html_escaped(part.name), badge(part.verdict.status));
  html += list_html(part.verdict.reasons, "plain");
  html += charts.figures(source, ChartPlace::kVariant, section.charts);
  html += "<div class=\"tables\">\n";
  for (const Table& table : part.tables) html += table_html(table);
  html += "</div>\n";
  if (!part.notices.empty()) html += "<h4>Notices</h4>" + list_html(part.notices, "plain");
  return html + "</details>\n";
}

std::string command_html(const std::string& command) {
  if (command.empty()) return "";
  return fmt::format(
      "<section class=\"block\"><h3>Run it again</h3>\n<div class=\"command\"><pre><code>{}</code></pre>"
      "<button type=\"button\" class=\"copy\" hidden>Copy</button></div></section>\n",
      html_escaped(command));
}

std::string answers_html(const std::vector<Table>& answers) {
  if (answers.empty()) return "";
  std::string html =
      fmt::format("<section class=\"block answers\"><h3>{}</h3>\n", questions_heading(answers));
  for (const Table& table : answers) html += table_html(table);
  return html + "</section>\n";
}

std::string block(const std::string& html) {
  return html.empty() ? "" : "<section class=\"block\">\n" + html + "</section>\n";
}

}  // namespace

std::string doubtful_badge(const Section& section) {
  return section.verdict.status == "valid" ? "" : " " + badge(section.verdict.status);
}

std::string table_html(const Table& table) {
  if (table.empty()) return "";
  std::string html = "<div class=\"table\">";
  if (!table.title.empty()) html += fmt::format("<h4>{}</h4>", html_escaped(table.title));
  if (!table.note.empty()) html += fmt::format("<p class=\"note\">{}</p>", html_escaped(table.note));
  const bool headed = std::any_of(table.columns.begin(), table.columns.end(),
                                  [](const Column& c) { return !c.name.empty(); });
  html += fmt::format("<div class=\"scroll\"><table{}>", headed ? "" : " class=\"pairs\"");
  if (headed) {
    html += "<thead><tr>";
    for (const Column& column : table.columns) {
      html +=
          fmt::format("<th class=\"{}\">{}</th>", column.number ? "number" : "", html_escaped(column.name));
    }
    html += "</tr></thead>";
  }
  html += "<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) html += cell_html(table.columns[i], row[i], i == 0);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div></div>\n";
}

std::string section_html(const Section& section, SectionPlace place, const ChartSource& source,
                         PageCharts& charts) {
  std::string html = fmt::format("<article id=\"result-{}\">\n", place.index);
  if (place.sections > 1) html += "<p class=\"back\"><a href=\"#contents\">↑ contents</a></p>\n";
  html += header_html(section);
  html += doubts_html(section);
  html += block(table_html(section.thresholds));
  html += answers_html(section.answers);
  html += block(table_html(section.pipeline));
  html += block(table_html(section.loops));
  html += block(table_html(section.search));
  html += block(table_html(section.comparison));
  html += block(table_html(section.pairs));
  html += block(table_html(section.scaling));
  html += block(charts.figures(source, ChartPlace::kOverview, section.charts));
  for (std::size_t i = 0; i < section.variants.size(); ++i) {
    html += variant_html(section.variants[i], source.only(i), charts, section,
                         section.variants.size() <= kMostOpenVariants && place.sections <= kMostOpenSections);
  }
  html += flags_html(section.flags);
  html += command_html(section.command);
  html += block(table_html(section.environment));
  return html + "</article>\n";
}

}  // namespace brokerlab::report
