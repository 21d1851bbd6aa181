using System.Buffers;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;
using ZeroStor.Contracts.Links;

namespace ZeroStor.Contracts;

/// <summary>Bytes on their way through a grain call. A parcel owns one count of its buffer and passes it on:
/// whoever <see cref="Take"/>s the bytes must release them. Serializing takes too, so a sender lets go of the
/// parcel with the call; a call within the silo hands the very same bytes over and copies nothing. A parcel
/// can be taken once: a message that were sent twice fails loudly instead of sending a recycled
/// buffer.</summary>
[Immutable]
public sealed class Parcel
{
    private readonly BufferSlice _slice;
    private int _taken;

    /// <summary>Wraps bytes whose count the caller gives away.</summary>
    public Parcel(BufferSlice slice) => _slice = slice;

    public int Length => _slice.Length;

    public BufferSlice Take() =>
        Interlocked.Exchange(ref _taken, 1) == 0
            ? _slice
            : throw new InvalidOperationException("A parcel was taken twice.");
}

/// <summary>Parcels travel as length-prefixed bytes: one copy into the message, and none out of it where a link received
/// them in one piece, for then the parcel holds the block that they came in.</summary>
[RegisterSerializer]
public sealed class ParcelCodec : IFieldCodec<Parcel>
{
    /// <summary>A message that claims more is refused before anything is rented: a stripe is the largest
    /// thing that travels.</summary>
    private const int MaxBytes = Geometry.MaxStripeBytes + Geometry.MaxContentBytesPerShard;

    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, Parcel? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(Parcel), WireType.LengthPrefixed);
        BufferSlice slice = value.Take();
        try
        {
            writer.WriteVarUInt32((uint)slice.Length);
            writer.Write(slice.Span);
        }
        finally
        {
            slice.Release();
        }
    }

    public Parcel ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<Parcel, TInput>(ref reader, field)!;
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        ReferenceCodec.MarkValueField(reader.Session);
        uint length = reader.ReadVarUInt32();
        if (length > MaxBytes)
        {
            throw ZeroStorException.Invalid($"a parcel of {length} bytes is more than the {MaxBytes} that travel");
        }

        if (length >= LinkBlocks.WorthHoldingBytes
            && reader.TryReadBytes((int)length, out ReadOnlySpan<byte> received))
        {
            return new Parcel(HoldOrCopy(received));
        }

        BufferSlice slice = BufferPool.Shared.RentSlice((int)length);
        try
        {
            reader.ReadBytes(slice.Span);
        }
        catch
        {
            slice.Release();
            throw;
        }

        return new Parcel(slice);
    }

    private static BufferSlice HoldOrCopy(ReadOnlySpan<byte> received)
    {
        if (!LinkBlocks.Shared.TryHold(received, out BufferSlice slice))
        {
            slice = BufferPool.Shared.RentSlice(received.Length);
            received.CopyTo(slice.Span);
        }

        return slice;
    }
}

/// <summary>A parcel is handed over, never copied.</summary>
[RegisterCopier]
public sealed class ParcelCopier : IDeepCopier<Parcel>
{
    public Parcel? DeepCopy(Parcel? input, CopyContext context) => input;
}
