// What a file of tagged sentences is: columns of words, JSON, or texts that nobody has cut into words.
#pragma once

#include "text/corpus/input.h"
#include "text/labelled/tags.h"

namespace rapt {

/// By its name, else by how it begins: JSON; a tab or a tag at the end of each line, or single words; else texts. Of
/// live standard input the first line tells, or the first two if the first is a single word.
///
/// \throws UndecidedError  tags are required and there are none: a table of texts, or prose
TagForm tag_form_of(const Input& input, const TagOptions& options);

}  // namespace rapt
