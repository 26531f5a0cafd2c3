// Cuts a tokenised corpus into instances, as google-research/bert's create_pretraining_data.py does. It needs to know
// where documents and sentences begin, not which tokens they consist of.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "text/batches/instances.h"

namespace rapt {

/// Where documents and sentences begin in a corpus' tokens; ascending, with the end of the last one as last entry.
/// Every document begins where a sentence does. A "sentence" is what BERT's paper calls one: a stretch of text, as a
/// rule a line.
struct TextLayout {
  std::span<const std::int64_t> documents, sentences;
};

/// Takes the instances as they are made.
using InstanceSink = std::function<void(const Instance&)>;

/// Makes the instances of some documents of a corpus.
///
/// kMlmNsp, for each document: sentences are gathered until they fill a sequence (or, with short_probability, a random
/// shorter length) or the document ends. The first few of them, a random number, are A. Half of the time, and whenever
/// there is only one, B is random: it begins at a random sentence of a random other document and is as long as it takes
/// to fill the sequence, and the sentences that were not used begin the next instance. Else B is the rest. While both
/// are too long together, the longer one loses a token, in front or behind at random. Devlin et al. 2019, "BERT",
/// appendix A.2.
///
/// kMlm: sentences side by side, as many as fit; no sequence reaches into the next document. Liu et al. 2019,
/// "RoBERTa" (arXiv:1907.11692), section 4.2, DOC-SENTENCES. In passes after the first, the first sequence of a
/// document has a random length, so that tokens meet other neighbours.
///
/// Departures from the script, which expects sentences much shorter than a sequence, and many documents:
/// - a sentence longer than half a sequence (kMlm: than a sequence) is taken in equal pieces, or a text with a
///   paragraph a line would lose most of its tokens and never be continued by its own next ones;
/// - the length is drawn for each instance, not for each document, or a book would be short or not as a whole;
/// - a random B is never from the same document if there is another; if there is none, from elsewhere in it.
class InstanceBuilder final {
 public:
  /// \param documents  indices of the documents to take
  /// \param stream     parts with different streams get other random numbers
  InstanceBuilder(TextLayout text, TokenRange documents, const InstanceOptions& options, std::uint32_t stream);

  /// The instances of one pass, in the text's order: a pure function of the options, the stream and the pass.
  void build(Dim pass, const InstanceSink& sink) const;

 private:
  class Pass;

  TextLayout text_;
  TokenRange documents_;
  InstanceOptions options_;
  std::uint32_t stream_;
};

}  // namespace rapt
