# ECharts comes from npm, pinned by third_party/package-lock.json, and is fetched once by the build.
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
