using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace ZeroStor;

/// <summary>Writes the small formats (manifests, pages, keys): big-endian numbers, LEB128 for lengths.</summary>
public sealed class ByteWriter
{
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

    public void Text(string value) => Blob(Encoding.UTF8.GetBytes(value));

    public byte[] ToArray() => _out.WrittenSpan.ToArray();
}

/// <summary>Reads what <see cref="ByteWriter"/> wrote. Bytes from outside: every length is checked, every
/// failure is <see cref="ErrorKind.Corrupt"/> and names the format.</summary>
public ref struct ByteReader(ReadOnlySpan<byte> source, string what)
{
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
                return (long)value;
            }
        }

        throw Bad("holds a number that is too long");
    }

    /// <summary>A VarInt that must fit an int.</summary>
    public int Count()
    {
        long value = VarInt();
        return value <= int.MaxValue ? (int)value : throw Bad("holds a length that is too large");
    }

    public ReadOnlySpan<byte> Blob() => Take(Count());

    public string Text() => Encoding.UTF8.GetString(Blob());

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

    public readonly void End()
    {
        if (_rest.Length != 0)
        {
            throw Bad($"goes on for {_rest.Length} bytes after its end");
        }
    }

    private readonly ZeroStorException Bad(string how) => ZeroStorException.Corrupt($"A {_what} {how}.");
}
