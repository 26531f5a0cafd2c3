// A BERT that was pretrained for a moment, and labelled data of the same words, for tests of its use.
#pragma once

#include <string>

#include "cli/run_program.h"

namespace rapt {

/// Paragraphs of four sentences.
inline std::string little_paragraphs() {
  static const char* const who[] = {"the cat", "a dog", "the bird", "one fish"};
  static const char* const what[] = {"sat on", "ran to", "looked at", "slept under"};
  static const char* const where[] = {"the mat", "a tree", "the house", "one river"};
  std::string text;
  for (unsigned i = 0, x = 1; i < 400; ++i) {
    x = x * 1664525 + 1013904223;
    text += std::string(who[x >> 16 & 3]) + " " + what[x >> 18 & 3] + " " + where[x >> 20 & 3] + " .\n";
    if (i % 4 == 3) text += "\n";
  }
  return text;
}

/// A table with label (cat, dog) and text, in which every word determines the label. With any initial weights and any
/// rounding, a fine-tuning of a few hundred updates gets all of them right.
inline std::string little_labels(unsigned rows, unsigned seed) {
  static const char* const cats[] = {"the cat sat on the mat .\n", "the cat looked at the house .\n"};
  static const char* const dogs[] = {"a dog ran to a tree .\n", "a dog slept under one river .\n"};
  std::string table = "label\ttext\n";
  for (unsigned i = 0, x = seed; i < rows; ++i) {
    x = x * 1664525 + 1013904223;
    const bool cat = (x >> 16 & 3) != 0;
    table += cat ? std::string("cat\t") + cats[x >> 20 & 1] : std::string("dog\t") + dogs[x >> 20 & 1];
  }
  return table;
}

/// runs/b: masked words and next sentences; text.txt, train.tsv, valid.tsv: training data.
inline const Workshop& little_bert() {
  static Workshop shop;
  static const bool done = [] {
    shop.write("text.txt", little_paragraphs());
    shop.write("train.tsv", little_labels(96, 1));
    shop.write("valid.tsv", little_labels(32, 7));
    const ProgramResult result =
        shop.rapt({"train",         "text.txt", "--model",         "bert", "--layers",         "1",
                   "--heads",       "2",        "--width",         "16",   "--context",        "128",
                   "--batch",       "8",        "--vocab",         "80",   "--document-lines", "1",
                   "--dupe-factor", "2",        "--steps",         "600",  "--eval-every",     "100",
                   "--save-every",  "100",      "--learning-rate", "1e-2", "--threads",        "1",
                   "--out",         "runs/b"});
    INFO(result.err);
    REQUIRE(result.code == 0);
    REQUIRE(result.err.find("; now: rapt fill-mask runs/b \"... [MASK] ...\"\n") != std::string::npos);
    return true;
  }();
  (void)done;
  return shop;
}

}  // namespace rapt
