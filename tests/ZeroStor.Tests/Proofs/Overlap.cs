using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>Leads a disk's writer through two appends of which the second is laid while the first is synced, and written
/// meanwhile too or when the first was answered: always in the same order, whatever the threads do. Where the first
/// fills its volume the second is not laid ahead, and only waits.</summary>
/// <param name="volumeBytes">Of a volume that is full.</param>
/// <param name="isAhead">Whether the second is written while the first is synced.</param>
internal sealed class Overlap(long volumeBytes, bool isAhead)
{
    private readonly TaskCompletionSource _reached = NewSignal();
    private readonly TaskCompletionSource _laid = NewSignal();
    private readonly TaskCompletionSource _goOn = NewSignal();
    private readonly TaskCompletionSource _answered = NewSignal();
    private bool _isWritten;
    private bool _isNext;

    /// <summary>The first is about to be synced, and waits for <see cref="GoOn"/>.</summary>
    internal Task Reached => _reached.Task;

    /// <summary>The second is being laid, or was written, or will not be before the first is durable.</summary>
    internal Task Laid => _laid.Task;

    internal void GoOn() => _goOn.TrySetResult();

    /// <summary>The first was answered: the second may be written.</summary>
    internal void Answered() => _answered.TrySetResult();

    internal void Looks()
    {
        if (Reached.IsCompleted && !isAhead)
        {
            _laid.TrySetResult();
        }
    }

    internal void Wrote()
    {
        if (_isNext)
        {
            _laid.TrySetResult();
        }
    }

    internal void Writes(ReadOnlySpan<byte> bytes, long offset)
    {
        if (!bytes.StartsWith("ZSRC"u8))
        {
            return;
        }

        if (_isWritten)
        {
            if (isAhead)
            {
                _isNext = true;
            }
            else
            {
                _answered.Task.Wait();
            }

            return;
        }

        _isWritten = true;
        if (offset + RecordFormat.BlockBytes >= volumeBytes)
        {
            _laid.TrySetResult();
        }
    }

    internal void Syncs()
    {
        if (_isWritten && _reached.TrySetResult())
        {
            _goOn.Task.Wait();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
