// What the commands that read a model share: opening it, its tokenizer, and the text it is judged by.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "options.h"
#include "text/batches/lm_batches.h"
#include "train/files/pretrained.h"

namespace rapt::app {

/// The model that the first argument names, checked and ready to compute.
Pretrained open_model(const Arguments& arguments);

/// Runs a command on the model. Where a result is not finite, the error also names the model and why it has none.
/// \throws NotFiniteError
int with_finite_results(const Pretrained& model, const std::function<int()>& command);

/// --data as documents: one a line, or each file as one text.
std::vector<std::string> read_documents(const Arguments& arguments, bool per_line);

/// A text as the model's tokens, led by the end-of-text token where the tokenizer has one, since the first token can
/// only be predicted from something.
TokenStore tokens_of(const std::vector<std::string>& documents, const Tokenizer& tokenizer);

/// The options that these commands share.
Option data_option();

}  // namespace rapt::app
