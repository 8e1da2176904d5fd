# Writes INPUT as a C++ string literal to OUTPUT.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include <string_view>

namespace brokerlab {

extern const std::string_view kEmbeddedExperimentSchema;
const std::string_view kEmbeddedExperimentSchema = R\"schema(${text})schema\";

}  // namespace brokerlab
")
