// Determines the form of a file of tagged sentences: columns of words, JSON, or text that is not split into words.
#pragma once

#include "text/corpus/input.h"
#include "text/labelled/tags.h"

namespace rapt {

/// By its name, else by its beginning: JSON; a tab or a tag at the end of each line, or single words; otherwise texts.
/// Live standard input is judged by its first line, or the first two if the first is a single word.
///
/// \throws UndecidedError  if tags are required and there are none: a table of texts, or prose
TagForm tag_form_of(const Input& input, const TagOptions& options);

}  // namespace rapt
