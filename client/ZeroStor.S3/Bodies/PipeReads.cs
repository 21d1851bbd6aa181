using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Bodies;

/// <summary>Takes bytes and lines out of a pipe. Bytes are copied once, from the socket's buffer into the
/// reader's. </summary>
internal static class PipeReads
{
    /// <summary>The next bytes, as many as are there and fit; 0 only at the end.</summary>
    public static async ValueTask<int> TakeAsync(
        this PipeReader source, Memory<byte> target, CancellationToken cancel)
    {
        while (true)
        {
            ReadResult result = await source.ReadAsync(cancel);
            ReadOnlySequence<byte> buffer = result.Buffer;
            int bytes = (int)Math.Min(target.Length, buffer.Length);
            buffer.Slice(0, bytes).CopyTo(target.Span);
            source.AdvanceTo(buffer.GetPosition(bytes));
            if (bytes > 0 || result.IsCompleted)
            {
                return bytes;
            }
        }
    }

    /// <summary>The next line, without its end.</summary>
    /// <exception cref="S3Exception">InvalidRequest: it is longer than that; IncompleteBody: it has no end.
    /// </exception>
    public static async ValueTask<string> ReadLineAsync(
        this PipeReader source, int maxBytes, CancellationToken cancel)
    {
        while (true)
        {
            ReadResult result = await source.ReadAsync(cancel);
            ReadOnlySequence<byte> buffer = result.Buffer;
            ReadOnlySequence<byte> sought = buffer.Slice(0, Math.Min(buffer.Length, maxBytes));
            if (sought.PositionOf((byte)'\n') is { } end)
            {
                string line = Encoding.UTF8.GetString(buffer.Slice(0, end));
                source.AdvanceTo(buffer.GetPosition(1, end));
                return line.EndsWith('\r') ? line[..^1] : line;
            }

            bool isTooLong = buffer.Length >= maxBytes;
            source.AdvanceTo(buffer.Start, buffer.End);
            if (isTooLong)
            {
                throw new S3Exception(
                    S3Error.InvalidRequest, $"A line of the body's framing is longer than {maxBytes} bytes.");
            }

            if (result.IsCompleted)
            {
                throw new S3Exception(S3Error.IncompleteBody);
            }
        }
    }

    /// <summary>Whether nothing comes any more but an empty line at most: there are clients that send
    /// one.</summary>
    public static async ValueTask<bool> EndsAsync(this PipeReader source, CancellationToken cancel)
    {
        while (true)
        {
            ReadResult result = await source.ReadAsync(cancel);
            ReadOnlySequence<byte> buffer = result.Buffer;
            bool isMore = buffer.Length > 2 || buffer.ToArray().AsSpan().ContainsAnyExcept("\r\n"u8);
            source.AdvanceTo(isMore || result.IsCompleted ? buffer.End : buffer.Start, buffer.End);
            if (isMore || result.IsCompleted)
            {
                return !isMore;
            }
        }
    }
}
