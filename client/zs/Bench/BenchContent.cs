using System.Security.Cryptography;

namespace ZeroStor.CommandLine.Bench;

/// <summary>Objects' bytes: random ones, which do not compress, over and over. Each put seals them under a
/// key of its own, so that no two of them are alike in the fabric.</summary>
internal sealed class BenchContent
{
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(Geometry.MaxPieceBytes);

    /// <summary>The first <paramref name="bytes"/> of it.</summary>
    public Stream Open(long bytes) => new Reader(_bytes, bytes);

    private sealed class Reader(byte[] source, long left) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> target)
        {
            int bytes = (int)Math.Min(Math.Min(target.Length, source.Length - _at), left);
            source.AsSpan(_at, bytes).CopyTo(target);
            left -= bytes;
            _at = (_at + bytes) % source.Length;
            return bytes;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancel = default) =>
            ValueTask.FromResult(Read(target.Span));

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }
    }
}
