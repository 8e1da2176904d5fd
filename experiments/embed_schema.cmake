# Writes INPUT as the C++ string constant NAME to OUTPUT.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include <string_view>

namespace brokerlab {

extern const std::string_view ${NAME};
const std::string_view ${NAME} = R\"schema(${text})schema\";

}  // namespace brokerlab
")
