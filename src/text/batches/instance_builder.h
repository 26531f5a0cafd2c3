// Splits a tokenised corpus into instances, like google-research/bert's create_pretraining_data.py. It needs to know
// where documents and sentences start, but not their tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "text/batches/instances.h"

namespace rapt {

/// The start of each document and sentence in a corpus's tokens; ascending, with the end of the last one as the last
/// entry. Every document starts where a sentence starts. A "sentence", as in BERT's paper, is a stretch of text,
/// usually a line.
struct TextLayout {
  std::span<const std::int64_t> documents, sentences;
};

/// Receives the instances as they are made.
using InstanceSink = std::function<void(const Instance&)>;

/// Makes the instances of some documents of a corpus.
///
/// kMlmNsp, for each document: sentences are collected until they fill a sequence (or, with short_probability, a random
/// shorter length) or the document ends. A random number of them, from the first on, are A. With probability one half,
/// and whenever there is only one sentence, B is random: it starts at a random sentence of a random other document and
/// is as long as needed to fill the sequence, and the unused sentences start the next instance. Otherwise B is the
/// rest. While both together are too long, the longer one loses a token, at the front or the back at random. Devlin et
/// al. 2019, "BERT", appendix A.2.
///
/// kMlm: as many consecutive sentences as fit; no sequence reaches into the next document. Liu et al. 2019, "RoBERTa"
/// (arXiv:1907.11692), section 4.2, DOC-SENTENCES. In passes after the first, the first sequence of a document has a
/// random length, so that tokens get different neighbours.
///
/// Differences from the script, which expects sentences much shorter than a sequence, and many documents:
/// - a sentence longer than half a sequence (kMlm: than a sequence) is split into equal pieces. Otherwise a text with
///   one paragraph per line would lose most of its tokens, and no B would continue its A;
/// - the length is drawn for each instance, not for each document. Otherwise a whole book would have either short or
///   full instances;
/// - a random B is never from the same document if there is another one; if there is none, it is from elsewhere in it.
class InstanceBuilder final {
 public:
  /// \param documents  indices of the documents to use
  /// \param stream     parts with different streams get different random numbers
  InstanceBuilder(TextLayout text, TokenRange documents, const InstanceOptions& options, std::uint32_t stream);

  /// The instances of one pass, in text order: a pure function of the options, the stream and the pass.
  void build(Dim pass, const InstanceSink& sink) const;

 private:
  class Pass;

  TextLayout text_;
  TokenRange documents_;
  InstanceOptions options_;
  std::uint32_t stream_;
};

}  // namespace rapt
