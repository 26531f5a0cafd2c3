// Stems of English words (Porter 1980, "An algorithm for suffix stripping", Program 14(3)), for ROUGE.
#pragma once

#include <string>

namespace rapt {

/// The stem of a word: "relational" and "relate" become "relat".
///
/// Follows NLTK's PorterStemmer in its default mode, which rouge_score uses. It departs from the paper in a dozen
/// irregular words, short words in -ies, -ied and -y, and the suffixes -bli, -alli, -fulli and -logi.
/// \param word  in lower case; characters that are not a to z count as consonants
std::string porter_stem(std::string word);

}  // namespace rapt
