#include "tests/analysis/schema_check.h"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "analysis/environment.h"
#include "analysis/result.h"

namespace brokerlab {

std::string schema_errors(const Json& result) {
  const auto document =
      nlohmann::json::parse(read_json_file(BROKERLAB_SOURCE_DIR "/results/schema/result.schema.json").dump());
  const auto instance = nlohmann::json::parse(result.dump());
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(instance), &results);
  std::string errors;
  for (const auto& error : results) {
    for (const auto& part : error.context) errors += part;
    errors += ": " + error.description + "\n";
  }
  return errors;
}

std::string run_schema_errors(const Json& run) {
  ResultInput input;
  input.run_id = "r1";
  input.experiment = "by hand";
  input.started_at = "2026-11-21T03:13:55.123Z";
  input.environment = describe_environment({});
  input.config_hash = "abc";
  input.runs = Json::array({run});
  return schema_errors(assemble_result(input));
}

}  // namespace brokerlab
