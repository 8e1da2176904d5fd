#include "analysis/report_html.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "analysis/chart_embedded.h"
#include "analysis/report.h"
#include "analysis/report_text.h"
#include "core/error.h"

namespace brokerlab {
namespace {

using report::html_escaped;
using report::PageCharts;
using report::Section;

constexpr std::size_t kMostVariantsWithStills = 6;

// 'sha256-…' as a Content-Security-Policy names the only scripts and styles that may run.
std::string policy_hash(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw Error("OpenSSL cannot compute SHA-256", "report", "repair the installation of OpenSSL");
  }
  std::array<unsigned char, 64> text{};
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(length));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(text.data()));
}

std::string policy() {
  return fmt::format(
      "default-src 'none'; script-src {} {} {}; style-src {}; img-src data:; base-uri 'none'; form-action "
      "'none'",
      policy_hash(embedded::echarts_js()), policy_hash(embedded::chart_prepare_js()),
      policy_hash(embedded::report_js()), policy_hash(embedded::report_css()));
}

std::string page_title(const std::vector<Section>& sections) {
  std::vector<std::string> names;
  for (const Section& section : sections) names.push_back(section.experiment);
  return sections.empty() ? "no results" : report::joined(names);
}

std::string head(const std::vector<Section>& sections) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
      "content=\"no-referrer\">\n"
      "<title>{} · brokerlab</title>\n<style>{}</style>\n</head>\n",
      policy(), html_escaped(page_title(sections)), embedded::report_css());
}

std::string navigation(const std::vector<Section>& sections) {
  if (sections.size() < 2) return "";
  std::string html = "<nav id=\"contents\"><ul>\n";
  for (std::size_t i = 0; i < sections.size(); ++i) {
    html += fmt::format("<li><a href=\"#result-{}\"><strong>{}{}</strong><span>{}</span></a></li>\n", i,
                        html_escaped(sections[i].experiment), report::doubtful_badge(sections[i]),
                        html_escaped(sections[i].headlines.front()));
  }
  return html + "</ul></nav>\n";
}

// Results of one experiment can be looked at together.
bool comparable(const std::vector<Section>& sections) {
  for (const Section& section : sections) {
    if (section.experiment != sections.front().experiment) return false;
  }
  return sections.size() > 1;
}

std::string together(const std::vector<Json>& results, PageCharts& charts) {
  const ChartSource source(results);
  return "<article>\n<header><h2>All results together</h2></header>\n<section class=\"block\">" +
         report::table_html(report::comparison_table(source)) +
         charts.figures(source, ChartPlace::kOverview, {}) + "</section></article>\n";
}

std::string glossary_html() {
  std::string html = "<details class=\"glossary\"><summary><h3>What the words mean</h3></summary>\n<dl>\n";
  for (const report::GlossaryEntry& entry : report::glossary()) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", html_escaped(entry.word), html_escaped(entry.meaning));
  }
  return html + "</dl></details>\n";
}

std::string scripts(const PageCharts& charts) {
  return fmt::format(
      "<script type=\"application/json\" "
      "id=\"charts\">{}</script>\n<script>{}</script>\n<script>{}</script>\n<script>{}</script>\n",
      report::script_json(charts.options()), embedded::echarts_js(), embedded::chart_prepare_js(),
      embedded::report_js());
}

}  // namespace

std::string report_html(const std::vector<Json>& results) {
  std::vector<Section> sections;
  std::size_t variants = 0;
  for (const Json& result : results) {
    sections.push_back(report::section_of(result));
    variants += sections.back().variants.size();
  }
  PageCharts charts(variants <= kMostVariantsWithStills);
  std::string html = head(sections) + "<body>\n<main>\n" + navigation(sections);
  if (comparable(sections)) html += together(results, charts);
  for (std::size_t i = 0; i < results.size(); ++i) {
    html += report::section_html(sections[i], {i, sections.size()}, ChartSource({&results[i], 1}), charts);
  }
  html += glossary_html();
  html +=
      "<footer>Made by brokerlab from result.json; every number on this page stands there. Charts: Apache "
      "ECharts.</footer>\n";
  return html + "</main>\n" + scripts(charts) + "</body>\n</html>\n";
}

}  // namespace brokerlab
