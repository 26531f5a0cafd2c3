// Shared by the commands that read a model: opening it, its tokenizer, and the text for it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "options.h"
#include "text/batches/lm_batches.h"
#include "train/files/pretrained.h"

namespace rapt::app {

/// The model in the first argument, checked and ready to compute.
Pretrained open_model(const Arguments& arguments);

/// Runs a command on the model. If a result is not finite, the error also names the model and the cause.
/// \throws NotFiniteError
int with_finite_results(const Pretrained& model, const std::function<int()>& command);

/// --data as documents: one per line, or each file as one text.
std::vector<std::string> read_documents(const Arguments& arguments, bool per_line);

/// --data, the files after the model, or else standard input ("-"); a terminal is told that it is read.
std::vector<std::string> input_files(const Arguments& arguments);

/// A text as the model's tokens, preceded by the end-of-text token if the tokenizer has one, because the first token
/// needs a context to be predicted from.
TokenStore tokens_of(const std::vector<std::string>& documents, const Tokenizer& tokenizer);

/// The options that these commands share.
Option data_option();

}  // namespace rapt::app
