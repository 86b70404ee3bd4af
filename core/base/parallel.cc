#include "base/parallel.h"

#if !defined(__EMSCRIPTEN__) || defined(__EMSCRIPTEN_PTHREADS__)
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>
#endif

namespace translucent {

#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)

void ParallelFor(int /*threads*/, std::size_t count, const std::function<void(std::size_t)>& work) {
  for (std::size_t i = 0; i < count; ++i) work(i);
}

#else

namespace {

/// One call of ParallelFor.
class Job {
 public:
  Job(std::size_t count, std::size_t helpers, const std::function<void(std::size_t)>& work)
      : helpers_wanted(helpers), count_(count), work_(work) {}

  /// Does pieces until none is left.
  void Run() {
    for (std::size_t i = next_++; i < count_; i = next_++) {
      try {
        work_(i);
      } catch (...) {
        const std::lock_guard lock(failure_mutex_);
        if (!failure_) failure_ = std::current_exception();
        next_ = count_;
      }
    }
  }

  void RethrowFailure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  std::size_t helpers_wanted;  // both guarded by the pool's mutex
  std::size_t helpers_at_work = 0;

 private:
  const std::size_t count_;
  const std::function<void(std::size_t)>& work_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

/// The helping threads of the process.
class ThreadPool {
 public:
  static ThreadPool& Instance() {
    static ThreadPool pool;
    return pool;
  }

  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    job_added_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(&job);
      StartThreads();
    }
    job_added_.notify_all();
    job.Run();
    std::unique_lock lock(mutex_);
    std::erase(jobs_, &job);  // from here on no helper joins
    helper_done_.wait(lock, [&] { return job.helpers_at_work == 0; });
  }

 private:
  /// As many threads as all jobs want; where the system gives no more, fewer have to do.
  void StartThreads() {
    std::size_t wanted = 0;
    for (const Job* job : jobs_) wanted += job->helpers_wanted + job->helpers_at_work;
    try {
      while (threads_.size() < wanted) threads_.emplace_back([this] { Help(); });
    } catch (const std::system_error&) {
    }
  }

  /// A helper's life: joins the oldest job that wants one, again and again.
  void Help() {
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* job = nullptr;
      job_added_.wait(lock, [&] {
        const auto found =
            std::ranges::find_if(jobs_, [](Job* j) { return j->helpers_wanted > 0; });
        job = found == jobs_.end() ? nullptr : *found;
        return stopping_ || job != nullptr;
      });
      if (stopping_) return;
      --job->helpers_wanted;
      ++job->helpers_at_work;
      lock.unlock();
      job->Run();
      lock.lock();
      --job->helpers_at_work;
      helper_done_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable job_added_;
  std::condition_variable helper_done_;
  std::vector<Job*> jobs_;  // under way, oldest first
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

}  // namespace

void ParallelFor(int threads, std::size_t count, const std::function<void(std::size_t)>& work) {
  const std::size_t useful = std::min(static_cast<std::size_t>(std::max(threads, 1)), count);
  Job job(count, useful > 1 ? useful - 1 : 0, work);
  if (useful > 1) {
    ThreadPool::Instance().Run(job);
  } else {
    job.Run();
  }
  job.RethrowFailure();
}

#endif

}  // namespace translucent
