using System.IO.Pipelines;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Bodies;

/// <summary>A pipe whose next bytes are waited for only so long. The web server ends requests whose bytes come slowly
/// in the mean since their beginning, and so would wait for days for a client that sent gigabytes and then fell silent.
/// Nothing is allocated for a wait but the first. Not thread-safe.</summary>
internal sealed class PatientReader : PipeReader, IDisposable
{
    /// <summary>As long as S3 waits.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly PipeReader _source;
    private readonly TimeProvider _time;
    private ITimer? _timer;

    public PatientReader(PipeReader source, TimeProvider time)
    {
        _source = source;
        _time = time;
    }

    /// <exception cref="S3Exception">RequestTimeout.</exception>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> reading = _source.ReadAsync(cancellationToken);
        if (!reading.IsCompletedSuccessfully)
        {
            return WaitAsync(reading, cancellationToken);
        }

        ReadResult result = reading.Result;
        return result.IsCanceled ? WaitAsync(new(result), cancellationToken) : new(result);
    }

    public override bool TryRead(out ReadResult result) => _source.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => _source.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        _source.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => _source.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _source.Complete(exception);

    public void Dispose() => _timer?.Dispose();

    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> reading, CancellationToken cancel)
    {
        long began = _time.GetTimestamp();
        _timer ??= _time.CreateTimer(
            static source => ((PipeReader)source!).CancelPendingRead(),
            _source,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _timer.Change(Patience, Timeout.InfiniteTimeSpan);
        try
        {
            while (true)
            {
                ReadResult result = await reading;
                if (!result.IsCanceled)
                {
                    return result;
                }

                _source.AdvanceTo(result.Buffer.Start);
                TimeSpan left = Patience - _time.GetElapsedTime(began);
                if (left <= TimeSpan.Zero)
                {
                    throw new S3Exception(S3Error.RequestTimeout);
                }

                // An alarm of an earlier wait, which came too late for it.
                _timer.Change(left, Timeout.InfiniteTimeSpan);
                reading = _source.ReadAsync(cancel);
            }
        }
        finally
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
