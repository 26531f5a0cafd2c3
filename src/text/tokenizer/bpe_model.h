// Byte pair encoding as a tokenizer's model: a vocabulary, a list of merges and the options of Hugging Face's BPE.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/json.h"
#include "text/tokenizer/token_model.h"
#include "text/tokenizer/vocabulary.h"

namespace rapt {

/// The fields of tokenizer.json's model of type BPE.
struct BpeOptions {
  std::optional<std::string> unk_token = {};  ///< stands for unknown characters; without it they are dropped
  std::optional<std::string> continuing_subword_prefix = {};  ///< in front of every symbol but a word's first
  std::optional<std::string> end_of_word_suffix = {};         ///< behind a word's last symbol: `</w>`
  bool fuse_unk = false;                                      ///< neighbouring unknown characters become one token
  bool byte_fallback = false;  ///< unknown characters become `<0x41>` tokens, if those exist
  bool ignore_merges = false;  ///< a word that is a token is that token
};

/// Merges as texts, in the order in which they were learnt.
using MergeTexts = std::vector<std::pair<std::string, std::string>>;

/// \param byte_level  words come as bytes and the vocabulary is in the alphabet of byte_alphabet.h
/// \param name        the file, for messages
/// \throws DataError  a merge whose parts or result are not in the vocabulary, an unk_token that is not
std::unique_ptr<TokenModel> make_bpe_model(std::vector<Vocabulary::Entry> vocabulary, const MergeTexts& merges,
                                           const BpeOptions& options, bool byte_level, const std::string& name);

/// Reads a tokenizer.json's `model` of type BPE. Merges are pairs (`["a", "b"]`) or, as older files have them, strings
/// (`"a b"`).
/// \throws DataError
std::unique_ptr<TokenModel> bpe_model_from_json(const Json& json, bool byte_level, const std::string& name);

/// vocab.json and merges.txt of a BPE, as GPT-2's files are written.
/// \throws std::invalid_argument  if the model is not a BPE
std::string vocabulary_json(const TokenModel& model);
std::string merges_text(const TokenModel& model);

/// Reads merges.txt: a pair a line, between them a space; a first line `#version: ...` and empty lines are skipped.
/// \throws DataError  with the line
MergeTexts parse_merges_text(std::string_view text, const std::string& name);

}  // namespace rapt
