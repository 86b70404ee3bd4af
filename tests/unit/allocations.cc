#include "allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

#if !defined(__SANITIZE_ADDRESS__)
#define COUNT_ALLOCATIONS 1
#else
#define COUNT_ALLOCATIONS 0
#endif

namespace translucent::test {
namespace {

std::atomic<std::size_t> allocations = 0;

}  // namespace

std::size_t Allocations() { return allocations; }
bool CountsAllocations() { return COUNT_ALLOCATIONS != 0; }

}  // namespace translucent::test

#if COUNT_ALLOCATIONS

namespace {

void* Counted(void* memory) {
  ++translucent::test::allocations;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The array and nothrow forms call these.
void* operator new(std::size_t size) { return Counted(std::malloc(size > 0 ? size : 1)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return Counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif
