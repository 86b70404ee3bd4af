// Memory that begins at a cache line, for what SIMD code reads in whole lines.
#pragma once

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace translucent {

inline constexpr std::size_t kCacheLine = 64;

/// Allocates whole cache lines. Values that are given none are left uninitialised, so that a buffer
/// about to be read from a file is not written twice.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(kCacheLine)));
  }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t(kCacheLine)); }

  template <class U, class... Args>
  void construct(U* p, Args&&... args) {
    if constexpr (sizeof...(Args) == 0) {
      ::new (static_cast<void*>(p)) U;
    } else {
      ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...);
    }
  }
  friend bool operator==(const CacheLineAllocator&, const CacheLineAllocator&) { return true; }
};

/// A vector whose first element begins a cache line; resize() leaves new elements uninitialised.
template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

/// The content of a file.
using FileBytes = AlignedVector<std::byte>;

}  // namespace translucent
