using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ZeroStor;

/// <summary>Writes the small formats (manifests, pages, keys): big-endian numbers, LEB128 for
/// lengths.</summary>
public sealed class ByteWriter
{
    // Text that UTF-8 cannot say is refused, never replaced: what is read is what was written.
    internal static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> _out = new(256);

    public void Byte(byte value)
    {
        _out.GetSpan(1)[0] = value;
        _out.Advance(1);
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_out.GetSpan(4), value);
        _out.Advance(4);
    }

    public void UInt128(UInt128 value)
    {
        Id128.Write(_out.GetSpan(Id128.Bytes), value);
        _out.Advance(Id128.Bytes);
    }

    public void Sum(Sum128 value)
    {
        value.Write(_out.GetSpan(Sum128.Bytes));
        _out.Advance(Sum128.Bytes);
    }

    /// <summary>A number from 0 to 2^63-1, seven bits a byte, lowest first.</summary>
    public void VarInt(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ulong rest = (ulong)value;
        while (rest >= 0x80)
        {
            Byte((byte)(rest | 0x80));
            rest >>= 7;
        }

        Byte((byte)rest);
    }

    public void Raw(ReadOnlySpan<byte> value) => _out.Write(value);

    public void Blob(ReadOnlySpan<byte> value)
    {
        VarInt(value.Length);
        _out.Write(value);
    }

    /// <exception cref="ZeroStorException">InvalidArgument: half of a surrogate pair.</exception>
    public void Text(string value)
    {
        try
        {
            Blob(Utf8.GetBytes(value));
        }
        catch (EncoderFallbackException invalid)
        {
            throw new ZeroStorException(
                ErrorKind.InvalidArgument, "A text holds half of a surrogate pair: write Unicode.", invalid);
        }
    }

    /// <summary>Ends a format with the sum of all bytes before it.</summary>
    public void SumOfAll() => Sum(Sum128.Of(_out.WrittenSpan));

    public byte[] ToArray() => _out.WrittenSpan.ToArray();
}

/// <summary>Reads what <see cref="ByteWriter"/> wrote. Bytes from outside: every length is checked, every
/// failure is <see cref="ErrorKind.Corrupt"/> and names the format. Each value has one encoding and no other
/// is read, so equal bytes and equal values are the same.</summary>
public ref struct ByteReader(ReadOnlySpan<byte> source, string what)
{
    private readonly ReadOnlySpan<byte> _source = source;
    private ReadOnlySpan<byte> _rest = source;
    private readonly string _what = what;

    public readonly int Remaining => _rest.Length;

    public byte Byte() => Take(1)[0];

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public UInt128 UInt128() => Id128.Read(Take(Id128.Bytes));

    public Sum128 Sum() => Sum128.Read(Take(Sum128.Bytes));

    public long VarInt()
    {
        ulong value = 0;
        for (int shift = 0; shift < 63; shift += 7)
        {
            byte next = Byte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return next > 0 || shift == 0 ? (long)value : throw Bad("holds a number with leading zeros");
            }
        }

        throw Bad("holds a number that is too long");
    }

    /// <summary>A VarInt that must fit an int. It is only claimed: nothing may be allocated by it.</summary>
    public int Count()
    {
        long value = VarInt();
        return value <= int.MaxValue ? (int)value : throw Bad("holds a length that is too large");
    }

    /// <summary>A VarInt that must fit 32 bits.</summary>
    public uint VarUInt32()
    {
        long value = VarInt();
        return value <= uint.MaxValue ? (uint)value : throw Bad("holds a number of more than 32 bits");
    }

    public ReadOnlySpan<byte> Blob() => Take(Count());

    public string Text()
    {
        ReadOnlySpan<byte> text = Blob();
        try
        {
            return ByteWriter.Utf8.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            throw Bad("holds a text that is not UTF-8");
        }
    }

    public ReadOnlySpan<byte> Take(int bytes)
    {
        if (bytes > _rest.Length)
        {
            throw Bad("ends too early");
        }

        ReadOnlySpan<byte> taken = _rest[..bytes];
        _rest = _rest[bytes..];
        return taken;
    }

    public void Format(byte known)
    {
        byte format = Byte();
        if (format != known)
        {
            throw Bad($"is of format {format}, and this version knows {known}: run a newer ZeroStor");
        }
    }

    /// <summary>Checks the sum that ends the source and covers all of it; what is left to read ends before
    /// it. </summary>
    public void SumOfAll()
    {
        if (_rest.Length < Sum128.Bytes)
        {
            throw Bad("ends too early");
        }

        if (Sum128.Of(_source[..^Sum128.Bytes]) != Sum128.Read(_source[^Sum128.Bytes..]))
        {
            throw Bad("does not match its own sum");
        }

        _rest = _rest[..^Sum128.Bytes];
    }

    public readonly void End()
    {
        if (_rest.Length != 0)
        {
            throw Bad($"goes on for {_rest.Length} bytes after its end");
        }
    }

    /// <summary>The failure to throw where bytes can be read and mean nothing.</summary>
    public readonly ZeroStorException Bad(string how) => ZeroStorException.Corrupt($"A {_what} {how}.");
}
