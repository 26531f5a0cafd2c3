# rapt_embed(rapt_text data/stories.grammar kStoriesGrammar): compiles a text file into rapt_text as the constant
# `extern const char* const kStoriesGrammar`, so that the installed program needs no files beside it.
function(rapt_embed target file constant)
  set(path ${PROJECT_SOURCE_DIR}/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(READ ${path} content)
  set(source ${PROJECT_BINARY_DIR}/embedded/${constant}.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "// Made from ${file}.
namespace rapt {
extern const char* const @constant@;
const char* const @constant@ = R\"embedded(@content@)embedded\";
}  // namespace rapt
")
  target_sources(${target} PRIVATE ${source})
endfunction()
