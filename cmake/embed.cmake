# brokerlab_embed(TARGET FILE...): puts files into the program as bytes (the assembler's .incbin), so that nothing is looked
# for at run time. core/embedded.h is the other end.
enable_language(ASM)
set(BROKERLAB_EMBED_TEMPLATE ${CMAKE_CURRENT_LIST_DIR}/embed.S.in)

function(brokerlab_embed target)
  foreach(file ${ARGN})
    get_filename_component(EMBED_PATH ${file} ABSOLUTE)
    get_filename_component(name ${file} NAME)
    string(MAKE_C_IDENTIFIER ${name} EMBED_SYMBOL)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_${EMBED_SYMBOL}.S)
    configure_file(${BROKERLAB_EMBED_TEMPLATE} ${source} @ONLY)
    set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${EMBED_PATH})
    target_sources(${target} PRIVATE ${source})
  endforeach()
endfunction()
