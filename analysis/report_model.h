#pragma once

#include <string>
#include <vector>

#include "analysis/chart_source.h"
#include "core/json.h"

namespace brokerlab::report {

// What a report says, before it is known whether it becomes HTML or Markdown. All texts are display_text(),
// not yet escaped for the format.

enum class Tone { kPlain, kGood, kBad, kMuted };

struct Cell {
  std::string text;  // "" is shown as "not measured"
  Tone tone = Tone::kPlain;
  std::string hint = {};  // smaller, after the text
};

struct Column {
  std::string name;
  bool number = true;  // numbers stand right-aligned
};

struct Table {
  std::string title;
  std::string note;  // a sentence under the title; may be empty
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;

  bool empty() const { return rows.empty(); }
};

struct Verdict {
  std::string status;  // valid, invalid, unknown
  std::vector<std::string> reasons;
};

// A doubt about the measurement, over all runs: its worst state, and where it came up.
struct Flag {
  std::string name;
  std::string state;  // fail, unmeasured, pass
  std::string reason;
  std::string value;      // "5 ms", "" where it was not measured
  std::string threshold;  // "at most 1 ms"
  bool fatal = false;
  std::vector<std::string> variants;  // where it is in this state, when not in all
};

struct VariantPart {
  std::string name;
  int colour = 0;
  Verdict verdict;
  std::vector<Table> tables;
  std::vector<std::string> notices;
};

// One result.
struct Section {
  std::string experiment;
  std::string run_id;
  std::string started_at;
  std::string question;
  bool aborted = false;
  Verdict verdict;
  std::vector<std::string> headlines;  // sentences, the most telling first
  Table thresholds;
  Table search;  // every rate that a search tried
  Table comparison;
  Table pipeline;  // variants beside each other; empty unless messages pass through several roles
  Table loops;
  std::vector<Table> answers;  // one per question
  Table pairs;                 // each variant against the first, over repetitions
  Table scaling;               // speed-up where variants differ only in the number of instances
  std::vector<Flag> flags;
  std::vector<VariantPart> variants;
  Table environment;
  std::string command;              // quoted for a shell
  std::vector<std::string> charts;  // names that the experiment asks for; empty: all that apply
};

Section section_of(const Json& result);

// Parts of a section, each in a file of its own.
std::vector<std::string> headlines_of(const Json& result);       // report_headline.cpp
Table comparison_table(const ChartSource& source);               // report_comparison.cpp
Table search_table(const Json& result);                          // report_search.cpp
Table pipeline_table(const ChartSource& source);                 // report_comparison.cpp
Table pairs_table(const Json& result);                           // report_pairs.cpp
Table loops_table(const ChartSource& source);                    // report_comparison.cpp
Table latency_table(const ChartVariant& variant);                // report_latency.cpp
std::vector<Table> variant_tables(const ChartVariant& variant);  // report_tables.cpp
Table theory_table(const ChartVariant& variant);                 // report_theory.cpp
Table lost_table(const ChartVariant& variant);                   // report_ids.cpp, and the three below
Table unexpected_table(const ChartVariant& variant);
Table corrupted_table(const ChartVariant& variant);
Table strays_table(const ChartVariant& variant);
std::vector<Flag> flags_of(const Json& result);  // report_flags.cpp

// What stands above the answers: "Five questions" where there are five.
std::string questions_heading(const std::vector<Table>& answers);

struct GlossaryEntry {
  const char* word;
  const char* meaning;
};
const std::vector<GlossaryEntry>& glossary();

}  // namespace brokerlab::report
