// The pairs of a run: found, read once for all facts about them, and read again to tokenise them into the run folder.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "text/corpus/corpus.h"
#include "text/pairs/pair_store.h"
#include "text/tokenizer/training/tokenizer_trainer.h"
#include "train/files/run_folder.h"
#include "train/files/tokenizers.h"
#include "train/tasks/run_text.h"
#include "train/tasks/settle.h"

namespace rapt {

/// As RunText, for pairs: a new run reads its files once for facts and words, and then to encode them; a file that
/// changes in between is an error.
class RunPairs final {
 public:
  /// \param known  digests that were computed before; nullptr: none
  /// \throws as PairCorpus
  RunPairs(const TrainConfig& config, const DataFiles* known);

  /// The first reading. \return  the texts of both sides; its documents are pairs
  CorpusInfo read(const TrainConfig& config);

  /// The second reading, into the run folder, unless the tokenised pairs are already there.
  /// \param tokenizers  of the checkpoint or model that the run continues; none: the file in the configuration, or
  /// those
  ///                    of the kind in the configuration, trained on the pairs
  void tokenise(const TrainConfig& config, const RunFolder& folder, Tokenizers tokenizers, const Notice& notice);

  const Tokenizers& tokenizers() const { return tokenizers_; }
  const PairStore& store() const { return *store_; }
  DataFiles files() const;

  /// Reports the pairs, what was left out and cut off, and what is held out.
  ///
  ///     data: train.de and train.en: 29,000 pairs, 375,921 source and 381,400 target tokens
  ///     data: 3 pairs are left out, because one side is empty (the first: train.de: line 17)
  ///     data: 1,000 pairs are held out for validation
  void tell(const TrainConfig& config, const Notice& notice) const;

 private:
  class Words;

  std::shared_ptr<const Tokenizer> learnt(const TrainConfig& config, Words& words, const Notice& notice,
                                          const char* side);
  void make_tokenizers(const TrainConfig& config, const Notice& notice);

  PairCorpus corpus_;
  std::optional<PairCorpus> validation_;
  std::vector<std::shared_ptr<Words>> words_;  // from read() to tokenise(): of both sides, or of each
  Tokenizers tokenizers_;
  std::optional<PairStore> store_;
};

/// The tokens around a text, by their names in the vocabularies. The settings decide if they give ids.
/// \throws UsageError  for a vocabulary without a token that ends a text; if the end has different ids on both sides
FrameTokens frame_tokens(const Tokenizers& tokenizers);

}  // namespace rapt
