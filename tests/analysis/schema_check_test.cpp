#include "tests/analysis/schema_check.h"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

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

}  // namespace brokerlab
