#include "cli/files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/aligned.h"
#include "base/error.h"
#include "text/utf8.h"

namespace translucent::cli {
namespace {

constexpr std::size_t kReadBytes = 1 << 16;

[[noreturn]] void FailSystem(std::string_view what) { throw Error(what, std::strerror(errno)); }

// Closes a file descriptor when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const { return value_; }
  int Release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

// Bytes read, 0 at the end.
std::size_t ReadSome(int descriptor, void* bytes, std::size_t size, std::string_view name) {
  while (true) {
    const ssize_t count = read(descriptor, bytes, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) {
      pollfd wait = {descriptor, POLLIN, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      FailSystem(name);
    }
  }
}

void WriteAll(int descriptor, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd wait = {descriptor, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      FailSystem(name);
    }
  }
}

FileBytes ReadWhole(int descriptor, const std::string& path) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) FailSystem(path);
  // One byte more than it should have tells that it ended.
  FileBytes bytes(static_cast<std::size_t>(status.st_size) + 1);
  std::size_t size = 0;
  while (true) {
    const std::size_t count = ReadSome(descriptor, bytes.data() + size, bytes.size() - size, path);
    if (count == 0) break;
    size += count;
    if (size == bytes.size()) bytes.resize(2 * size);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::vector<ModelFile> ReadModelDirectory(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) FailSystem(path);
  if (!S_ISDIR(status.st_mode)) throw Error(path, "not a directory");
  std::vector<ModelFile> files;
  bool has_weights = false;
  for (std::string_view name : kModelFileNames) {
    const std::string file = path + "/" + std::string(name);
    const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (descriptor.value() < 0) {
      if (errno == ENOENT) continue;
      FailSystem(file);
    }
    files.push_back({std::string(name), ReadWhole(descriptor.value(), file)});
    has_weights |= name == "model.safetensors";
  }
  if (!has_weights) {
    for (std::string_view name : kUnreadWeightNames) {
      const std::string file = path + "/" + std::string(name);
      if (access(file.c_str(), F_OK) == 0) files.push_back({std::string(name), {}});
    }
  }
  return files;
}

LineReader::LineReader(const std::string& path) : name_(path), descriptor_(STDIN_FILENO) {
  if (path.empty() || path == "-") {
    name_ = "standard input";
    return;
  }
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) FailSystem(path);
}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

std::vector<std::string> LineReader::Read(std::size_t most) {
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < most) {
    if (TakeLine(&line)) {
      lines.push_back(std::move(line));
    } else if (at_end_ || (!lines.empty() && !Ready())) {
      break;
    } else {
      Fill();
    }
  }
  return lines;
}

bool LineReader::TakeLine(std::string* line) {
  std::size_t end = buffer_.find('\n', searched_);
  const bool found = end != buffer_.npos;
  if (!found) {
    searched_ = end = buffer_.size();
    if (!at_end_ || begin_ == end) return false;
  }
  *line = buffer_.substr(begin_, end - begin_);
  if (line->ends_with('\r')) line->pop_back();
  begin_ = searched_ = found ? end + 1 : end;
  return true;
}

bool LineReader::Ready() const {
  pollfd wait = {descriptor_, POLLIN, 0};
  return poll(&wait, 1, 0) > 0;
}

void LineReader::Fill() {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  const std::size_t count = ReadSome(descriptor_, buffer_.data() + size, kReadBytes, name_);
  buffer_.resize(size + count);
  at_end_ = count == 0;
}

void WriteOutput(std::string_view text) { WriteAll(STDOUT_FILENO, text, "standard output"); }

void WriteFile(const std::string& path, std::string_view text) {
  struct stat status;
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    // A device or a pipe is written to, never replaced.
    const Descriptor descriptor(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (descriptor.value() < 0) FailSystem(path);
    WriteAll(descriptor.value(), text, path);
    return;
  }
  std::string final_path = path;
  if (exists) {  // what a link points to, not the link
    char* resolved = realpath(path.c_str(), nullptr);
    if (resolved == nullptr) FailSystem(path);
    final_path = resolved;
    std::free(resolved);
  }
  const std::string temporary = final_path + ".partial-" + std::to_string(getpid());
  Descriptor descriptor(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (descriptor.value() < 0) FailSystem(path);
  try {
    WriteAll(descriptor.value(), text, path);
    if (close(descriptor.Release()) != 0) FailSystem(path);
    if (rename(temporary.c_str(), final_path.c_str()) != 0) FailSystem(path);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

std::size_t FindInvalidUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Character character = DecodeUtf8(text.substr(i));
    if (!character.valid) return i;
    i += character.length;
  }
  return text.npos;
}

}  // namespace translucent::cli
