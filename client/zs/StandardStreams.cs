using Microsoft.Win32.SafeHandles;

namespace ZeroStor.CommandLine;

/// <summary>Standard input and output as streams of bytes.</summary>
internal static class StandardStreams
{
    /// <summary>Standard output. The console's own stream takes a reader that went away for one that reads
    /// on, and would have a whole object fetched for nobody; a stream on the handle does not, but writes at
    /// offsets of its own, which is wrong where a file is shared with others.</summary>
    public static Stream OpenOutput()
    {
        if (OperatingSystem.IsWindows())
        {
            return Console.OpenStandardOutput();
        }

        var direct = new FileStream(
            new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return direct.CanSeek ? Console.OpenStandardOutput() : direct;
    }

    public static Stream OpenInput() => new InputStream(Console.OpenStandardInput());

    /// <summary>A read from a pipe cannot be called off: it would hold an interrupted verb until the next
    /// byte comes. Here it reads into a buffer of its own, so that the caller may leave it behind.</summary>
    private sealed class InputStream(Stream input) : Stream
    {
        private readonly byte[] _buffer = new byte[Geometry.MaxPieceBytes];
        private Task<int>? _reading;
        private int _at;
        private int _end;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> target, CancellationToken cancel = default)
        {
            if (_at == _end)
            {
                _reading ??= Task.Run(() => input.Read(_buffer, 0, _buffer.Length), CancellationToken.None);
                (_at, _end) = (0, await _reading.WaitAsync(cancel));
                _reading = null;
            }

            int bytes = Math.Min(target.Length, _end - _at);
            _buffer.AsSpan(_at, bytes).CopyTo(target.Span);
            _at += bytes;
            return bytes;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }
    }
}
