# Puts files into the program as bytes (the assembler's .incbin), so that nothing is looked for at run time.
# ECharts comes from npm, pinned by third_party/package-lock.json, and is fetched once by the build.
enable_language(ASM)

get_filename_component(third_party ${CMAKE_CURRENT_LIST_DIR}/../third_party ABSOLUTE)
set(echarts ${third_party}/node_modules/echarts/dist/echarts.min.js)
# flock: several build folders of one checkout may come here at the same time.
add_custom_command(
  OUTPUT ${echarts}
  COMMAND flock ${third_party}/package-lock.json
          sh -c "{ test -f '${echarts}' && ! test '${third_party}/package-lock.json' -nt '${echarts}'; } || npm ci --prefix '${third_party}' --no-audit --no-fund --ignore-scripts --loglevel=error"
  COMMAND ${CMAKE_COMMAND} -E touch ${echarts}
  DEPENDS ${third_party}/package-lock.json
  COMMENT "Fetching ECharts (npm ci)"
  VERBATIM)

set(embedded_sources "")
set(embedded_files ${echarts} chart_prepare.js chart_host.js report.css report.js)
foreach(file ${embedded_files})
  get_filename_component(path ${file} ABSOLUTE)
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER ${name} EMBED_SYMBOL)
  set(EMBED_PATH ${path})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${EMBED_SYMBOL}.S)
  configure_file(embed.S.in ${source} @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${path})
  list(APPEND embedded_sources ${source})
endforeach()
add_library(brokerlab_embedded STATIC ${embedded_sources})
