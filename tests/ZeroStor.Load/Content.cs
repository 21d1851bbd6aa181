using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ZeroStor.Load;

/// <summary>The bytes of one object, told by a seed and a position alone: whoever checks them needs no copy. They
/// do not compress. Word i is SplitMix64 (Steele, Lea, Flood 2014) of the seed and i.</summary>
internal readonly record struct Content(ulong Seed, long Bytes)
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>Writes the bytes from <paramref name="position"/> on, which must be a multiple of 8.</summary>
    public void Fill(long position, Span<byte> to)
    {
        ulong word = (ulong)position / sizeof(ulong);
        Span<ulong> whole = MemoryMarshal.Cast<byte, ulong>(to);
        for (int i = 0; i < whole.Length; i++)
        {
            whole[i] = Word(word++);
        }

        Span<byte> rest = to[(whole.Length * sizeof(ulong))..];
        if (rest.Length > 0)
        {
            Span<byte> last = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(last, Word(word));
            last[..rest.Length].CopyTo(rest);
        }
    }

    private ulong Word(ulong at)
    {
        ulong z = Seed + ((at + 1) * Step);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>The same as a stream, read forward once.</summary>
    public Stream Open() => new Reader(this);

    /// <summary>Whether a stream gives these bytes and no others.</summary>
    public async Task<bool> EqualsAsync(Stream got, CancellationToken cancel)
    {
        byte[] actual = new byte[PieceBytes];
        byte[] expected = new byte[PieceBytes];
        for (long at = 0; ;)
        {
            int read = await got.ReadAtLeastAsync(actual, PieceBytes, throwOnEndOfStream: false, cancel);
            if (read == 0)
            {
                return at == Bytes;
            }

            Fill(at, expected.AsSpan(0, read));
            if (!actual.AsSpan(0, read).SequenceEqual(expected.AsSpan(0, read)))
            {
                return false;
            }

            at += read;
        }
    }

    private const int PieceBytes = 256 * 1024;

    private sealed class Reader(Content content) : Stream
    {
        private readonly byte[] _piece = new byte[PieceBytes];
        private long _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => content.Bytes;

        public override long Position
        {
            get => _at;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int offset = (int)(_at % PieceBytes);
            if (offset == 0)
            {
                content.Fill(_at, _piece);
            }

            int bytes = (int)Math.Min(Math.Min(buffer.Length, PieceBytes - offset), content.Bytes - _at);
            _piece.AsSpan(offset, bytes).CopyTo(buffer);
            _at += bytes;
            return bytes;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
