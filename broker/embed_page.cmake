# Writes the three files of the gateway's page, in folder INPUT, as C++ string literals to OUTPUT.
set(text "#include <string_view>\n\nnamespace brokerlab::embedded {\n\nextern const std::string_view kGatewayHtml, kGatewayCss, kGatewayJs;\n")
foreach(kind Html Css Js)
  string(TOLOWER ${kind} ending)
  file(READ ${INPUT}/gateway.${ending} content)
  string(APPEND text "const std::string_view kGateway${kind} = R\"page(${content})page\";\n")
endforeach()
file(WRITE ${OUTPUT} "${text}\n}  // namespace brokerlab::embedded\n")
