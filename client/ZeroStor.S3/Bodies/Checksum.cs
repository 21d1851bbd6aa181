using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ZeroStor.S3.Bodies;

/// <summary>A checksum that grows with the bytes it is shown. Not thread-safe.</summary>
internal abstract class Checksum : IDisposable
{
    public static Checksum Of(ChecksumAlgorithm algorithm) => algorithm switch
    {
        ChecksumAlgorithm.Crc32 => new Crc32Checksum(),
        ChecksumAlgorithm.Crc32C => new Crc32CChecksum(),
        ChecksumAlgorithm.Crc64Nvme => new Crc64NvmeChecksum(),
        ChecksumAlgorithm.Sha1 => new HashChecksum(HashAlgorithmName.SHA1),
        _ => Sha256(),
    };

    public static Checksum Sha256() => new HashChecksum(HashAlgorithmName.SHA256);

    /// <summary>What S3's clients take an ETag for; it protects against accidents only.</summary>
    public static Checksum Md5() => new HashChecksum(HashAlgorithmName.MD5);

    /// <summary>A name for bytes that nobody compares with anything else: thirty times as fast.</summary>
    public static Checksum Xxh128() => new Xxh128Checksum();

    public abstract void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The value over all bytes so far, in big-endian order, and begins anew.</summary>
    public abstract byte[] Finish();

    public virtual void Dispose()
    {
    }

    private sealed class Crc32Checksum : Checksum
    {
        private readonly Crc32 _crc = new();

        public override void Append(ReadOnlySpan<byte> bytes) => _crc.Append(bytes);

        public override byte[] Finish()
        {
            byte[] value = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(value, _crc.GetCurrentHashAsUInt32());
            _crc.Reset();
            return value;
        }
    }

    private sealed class Crc32CChecksum : Checksum
    {
        private uint _crc = uint.MaxValue;

        public override void Append(ReadOnlySpan<byte> bytes)
        {
            uint crc = _crc;
            foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
            {
                crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian
                    ? word
                    : BinaryPrimitives.ReverseEndianness(word));
            }

            foreach (byte b in bytes[(bytes.Length & ~7)..])
            {
                crc = BitOperations.Crc32C(crc, b);
            }

            _crc = crc;
        }

        public override byte[] Finish()
        {
            byte[] value = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(value, ~_crc);
            _crc = uint.MaxValue;
            return value;
        }
    }

    private sealed class Crc64NvmeChecksum : Checksum
    {
        private ulong _crc = ulong.MaxValue;

        public override void Append(ReadOnlySpan<byte> bytes) => _crc = Crc64Nvme.Update(_crc, bytes);

        public override byte[] Finish()
        {
            byte[] value = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(value, ~_crc);
            _crc = ulong.MaxValue;
            return value;
        }
    }

    private sealed class Xxh128Checksum : Checksum
    {
        private readonly XxHash128 _hash = new();

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.Append(bytes);

        public override byte[] Finish() => _hash.GetHashAndReset();
    }

    [SuppressMessage("Security", "CA5350", Justification = "S3's clients choose it against accidents.")]
    [SuppressMessage("Security", "CA5351", Justification = "An ETag is the MD5 that S3's clients expect.")]
    private sealed class HashChecksum(HashAlgorithmName name) : Checksum
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(name);

        public override void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

        public override byte[] Finish() => _hash.GetHashAndReset();

        public override void Dispose()
        {
            base.Dispose();
            _hash.Dispose();
        }
    }
}
