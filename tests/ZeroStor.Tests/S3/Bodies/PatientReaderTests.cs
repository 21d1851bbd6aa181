using System.IO.Pipelines;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class PatientReaderTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new();
    private readonly PatientReader _reader;
    private readonly byte[] _target = new byte[10];

    public PatientReaderTests() => _reader = new PatientReader(_pipe.Reader, _time);

    public void Dispose() => _reader.Dispose();

    [Fact]
    public async Task What_is_there_is_read_at_once_and_an_end_is_an_end()
    {
        await SendAsync(3);
        Assert.Equal(3, await TakeAsync());
        await _pipe.Writer.CompleteAsync();
        Assert.Equal(0, await TakeAsync());
    }

    [Fact]
    public async Task However_much_came_before_silence_ends_it()
    {
        for (int i = 0; i < 5; i++)
        {
            Task<int> waiting = TakeAsync();
            _time.Advance(PatientReader.Patience - Moment);
            Assert.False(waiting.IsCompleted);
            await SendAsync(7);
            Assert.Equal(7, await waiting);
        }

        Task<int> last = TakeAsync();
        _time.Advance(PatientReader.Patience - Moment);
        Assert.False(last.IsCompleted);
        _time.Advance(Moment);
        S3Exception late = await Assert.ThrowsAsync<S3Exception>(() => last);
        Assert.Equal(S3Error.RequestTimeout, late.Error);
    }

    [Fact]
    public async Task Time_between_reads_does_not_count()
    {
        Task<int> waiting = TakeAsync();
        await SendAsync(1);
        Assert.Equal(1, await waiting);
        _time.Advance(10 * PatientReader.Patience);
        await SendAsync(2);
        Assert.Equal(2, await TakeAsync());
    }

    [Fact]
    public async Task An_alarm_that_comes_too_late_for_its_wait_ends_no_other()
    {
        _pipe.Reader.CancelPendingRead();
        Task<int> waiting = TakeAsync();
        Assert.False(waiting.IsCompleted);
        await SendAsync(4);
        Assert.Equal(4, await waiting);
    }

    private Task<int> TakeAsync() => _reader.TakeAsync(_target, Cancel).AsTask();

    private async Task SendAsync(int bytes) => await _pipe.Writer.WriteAsync(new byte[bytes], Cancel);
}
