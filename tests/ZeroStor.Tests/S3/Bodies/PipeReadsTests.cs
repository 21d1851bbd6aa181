using System.IO.Pipelines;
using System.Text;
using ZeroStor.S3.Bodies;
using ZeroStor.S3.Errors;

namespace ZeroStor.Tests.S3.Bodies;

public sealed class PipeReadsTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_there_is_taken_and_nothing_is_no_end()
    {
        var pipe = new Pipe();
        byte[] target = new byte[4];
        await pipe.Writer.WriteAsync("abcde"u8.ToArray(), Cancel);
        Assert.Equal(4, await pipe.Reader.TakeAsync(target, Cancel));
        Assert.Equal(1, await pipe.Reader.TakeAsync(target, Cancel));
        ValueTask<int> waiting = pipe.Reader.TakeAsync(target, Cancel);
        pipe.Reader.CancelPendingRead();
        Assert.False(waiting.IsCompleted);
        await pipe.Writer.WriteAsync("f"u8.ToArray(), Cancel);
        Assert.Equal(1, await waiting);
        await pipe.Writer.CompleteAsync();
        Assert.Equal(0, await pipe.Reader.TakeAsync(target, Cancel));
    }

    [Fact]
    public async Task Lines_end_with_a_line_feed_and_are_bounded()
    {
        byte[] lines = "one\r\ntwo\n\r\n\rlast\r\n"u8.ToArray();
        PipeReader pipe = Wire.Pipe(lines, [.. Enumerable.Range(1, lines.Length)]);
        foreach (string line in new[] { "one", "two", "", "\rlast" })
        {
            Assert.Equal(line, await pipe.ReadLineAsync(8, Cancel));
        }

        await Wire.RefusesAsync(S3Error.IncompleteBody, () => pipe.ReadLineAsync(8, Cancel).AsTask());
        Assert.Equal("1234567", await Wire.Pipe("1234567\n").ReadLineAsync(8, Cancel));
        await Wire.RefusesAsync(
            S3Error.InvalidRequest, () => Wire.Pipe("12345678\n").ReadLineAsync(8, Cancel).AsTask());
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("\r\n", true)]
    [InlineData("\n", true)]
    [InlineData("\r\n\r\n", false)]
    [InlineData("x", false)]
    [InlineData("\r\nx", false)]
    public async Task An_end_is_one_though_an_empty_line_comes_before_it(string rest, bool isEnd)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(rest);
        Assert.Equal(isEnd, await Wire.Pipe(bytes).EndsAsync(Cancel));
        Assert.Equal(isEnd, await Wire.Pipe(bytes, [.. Enumerable.Range(1, bytes.Length)]).EndsAsync(Cancel));
    }
}
