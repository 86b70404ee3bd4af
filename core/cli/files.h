// Reading and writing for the command line: model directories, lines, results.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"

namespace translucent::cli {

/// The files of a model directory that Checkpoint knows. Throws Error when the directory or a file
/// in it cannot be read; what is missing is left for Checkpoint to say.
std::vector<ModelFile> ReadModelDirectory(const std::string& path);

/// Reads lines from a file descriptor as they arrive. Not copyable: it owns what it has read ahead.
class LineReader {
 public:
  /// `path` empty or "-": standard input.
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Waits for one line, then takes those that are there already, up to `most`. Empty at the end of
  /// the input. Line ends, also CR LF, are cut off; a last line needs none.
  std::vector<std::string> Read(std::size_t most);
  /// "standard input" or the path, for errors.
  const std::string& name() const { return name_; }

 private:
  bool TakeLine(std::string* line);
  bool Ready() const;
  void Fill();

  std::string name_;
  int descriptor_;
  std::string buffer_;
  std::size_t begin_ = 0;     // where the next line begins in buffer_
  std::size_t searched_ = 0;  // no line end from begin_ up to here
  bool at_end_ = false;
};

/// Writes to standard output at once; throws Error when it cannot, as when the reader has gone.
void WriteOutput(std::string_view text);

/// Writes a file whole: to a temporary file beside it, which then takes its name.
void WriteFile(const std::string& path, std::string_view text);

/// Byte offset of the first byte that is not UTF-8, or npos.
std::size_t FindInvalidUtf8(std::string_view text);

}  // namespace translucent::cli
