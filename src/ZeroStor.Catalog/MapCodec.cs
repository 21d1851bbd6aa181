using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>The entries of the map as bytes: a format number, then the fields in the order of their
/// declaration. An unknown format is refused.</summary>
internal static class MapCodec
{
    private const byte Format = 1;

    public static byte[] Encode(DiskEntry disk)
    {
        ByteWriter writer = Begin();
        writer.VarInt(disk.Id.Value);
        writer.Text(disk.Silo);
        writer.Text(disk.Labels.Region);
        writer.Text(disk.Labels.Site);
        writer.Text(disk.Labels.Rack);
        writer.Text(disk.Path);
        writer.Byte((byte)disk.State);
        writer.VarInt(disk.Claim);
        writer.Byte(disk.IsManaged ? (byte)1 : (byte)0);
        return writer.ToArray();
    }

    public static byte[] Encode(PlacementClass placementClass)
    {
        ByteWriter writer = Begin();
        writer.VarInt(placementClass.Id.Value);
        writer.Byte((byte)placementClass.Code.K);
        writer.Byte((byte)placementClass.Code.M);
        writer.Byte((byte)placementClass.Spread);
        return writer.ToArray();
    }

    public static byte[] Encode(PlacementGroup group)
    {
        ByteWriter writer = Begin();
        writer.VarInt(group.Id.Value);
        writer.VarInt(group.Class.Value);
        writer.VarInt(group.Epoch);
        writer.VarInt(group.Places.Length);
        foreach (Place place in group.Places)
        {
            writer.VarInt(place.Home.Value);
            writer.VarInt(place.FormerHomes.Length);
            foreach (DiskId former in place.FormerHomes)
            {
                writer.VarInt(former.Value);
            }
        }

        return writer.ToArray();
    }

    /// <summary>A change: the version it was made from, then its disks, classes and groups.</summary>
    public static byte[] Encode(MapChange change)
    {
        ByteWriter writer = Begin();
        writer.VarInt(change.FromVersion);
        Entries(writer, change.Disks, Encode);
        Entries(writer, change.Classes, Encode);
        Entries(writer, change.Groups, Encode);
        return writer.ToArray();
    }

    public static DiskEntry ReadDisk(byte[] bytes)
    {
        ByteReader reader = Open(bytes, "disk of the map");
        var disk = new DiskEntry
        {
            Id = new DiskId(UInt32(ref reader)),
            Silo = reader.Text(),
            Labels = new Labels(reader.Text(), reader.Text(), reader.Text()),
            Path = reader.Text(),
            State = (DiskState)reader.Byte(),
            Claim = UInt32(ref reader),
            IsManaged = reader.Byte() != 0,
        };
        reader.End();
        return disk;
    }

    public static PlacementClass ReadClass(byte[] bytes)
    {
        ByteReader reader = Open(bytes, "class of the map");
        var id = new ClassId(UInt32(ref reader));
        var code = new Code(reader.Byte(), reader.Byte());
        var spread = (Spread)reader.Byte();
        reader.End();
        return new PlacementClass(id, code, spread);
    }

    public static PlacementGroup ReadGroup(byte[] bytes)
    {
        ByteReader reader = Open(bytes, "group of the map");
        var id = new GroupId(UInt32(ref reader));
        var classId = new ClassId(UInt32(ref reader));
        uint epoch = UInt32(ref reader);
        var places = ImmutableArray.CreateBuilder<Place>();
        for (int i = reader.Count(); i > 0; i--)
        {
            var home = new DiskId(UInt32(ref reader));
            var former = ImmutableArray.CreateBuilder<DiskId>();
            for (int j = reader.Count(); j > 0; j--)
            {
                former.Add(new DiskId(UInt32(ref reader)));
            }

            places.Add(new Place(home, former.ToImmutable()));
        }

        reader.End();
        return new PlacementGroup(id, classId, epoch, places.ToImmutable());
    }

    private static ByteWriter Begin()
    {
        var writer = new ByteWriter();
        writer.Byte(Format);
        return writer;
    }

    private static ByteReader Open(byte[] bytes, string what)
    {
        var reader = new ByteReader(bytes, what);
        reader.Format(Format);
        return reader;
    }

    private static void Entries<T>(ByteWriter writer, ImmutableArray<T> entries, Func<T, byte[]> encode)
    {
        writer.VarInt(entries.Length);
        foreach (T entry in entries)
        {
            writer.Blob(encode(entry));
        }
    }

    private static uint UInt32(ref ByteReader reader)
    {
        long value = reader.VarInt();
        return value <= uint.MaxValue
            ? (uint)value
            : throw ZeroStorException.Corrupt("An entry of the map holds a number that is too large.");
    }
}
